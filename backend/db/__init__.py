"""The differences between MariaDB, MySQL and SQLite, transient errors, and reading long lists."""
