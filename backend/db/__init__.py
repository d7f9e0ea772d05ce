"""Every difference between MariaDB, MySQL and SQLite, which errors pass by themselves, and how long lists are read."""
