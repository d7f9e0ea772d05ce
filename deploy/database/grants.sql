-- What each of the three accounts may do, on MariaDB 10.11+ and MySQL 8.4+. Read by create-users, which has made the
-- accounts, and which puts what it knows in the place of each @…@. May be applied again at any time, also
-- while shops sell: nothing that is needed is taken away for a moment.

-- caisse: API, workers, sweep, beat, commands. Rows, and nothing about tables: no DROP, and so no TRUNCATE, which no
-- trigger could refuse. Rows of history (APPEND_ONLY_TABLES in backend/db/dialect.py) are refused to it, as to
-- everyone, by triggers that it can neither drop nor replace: grants of their own for these tables would say it twice,
-- and would have to be given anew after each migration, because a grant cannot wait for its table.
-- EXECUTE is for the function by which MySQL tells the doctor that these triggers are there.
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON `@DATABASE_PATTERN@`.* TO 'caisse'@'@USERS_HOST@';
-- What an earlier version or a hand may have given it, here or everywhere. Named one by one: on MySQL REVOKE ALL ON *.*
-- takes away what was given just above, too. MySQL wants IF EXISTS to take what is not there, MariaDB does not know it.
@REVOKE@ CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, CREATE VIEW, SHOW VIEW,
    CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON `@DATABASE_PATTERN@`.* FROM 'caisse'@'@USERS_HOST@';
@REVOKE@ CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, CREATE VIEW, SHOW VIEW,
    CREATE ROUTINE, ALTER ROUTINE, EXECUTE, EVENT, TRIGGER, SUPER, FILE, PROCESS, RELOAD, SHUTDOWN, CREATE USER
    ON *.* FROM 'caisse'@'@USERS_HOST@';

-- caisse_migrations: deploy/start/migrate, and repairs of the schema by `manage.py doctor --fix`. Nothing that serves.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, LOCK TABLES, TRIGGER, CREATE ROUTINE,
    ALTER ROUTINE, EXECUTE ON `@DATABASE_PATTERN@`.* TO 'caisse_migrations'@'@USERS_HOST@';

-- caisse_backup: deploy/backup. It reads. No TRIGGER, which a dump of triggers would need and with which they can be
-- dropped: dumps leave the triggers out, and restoring lets `migrate` make them.
GRANT SELECT, LOCK TABLES, SHOW VIEW ON `@DATABASE_PATTERN@`.* TO 'caisse_backup'@'@USERS_HOST@';
-- Where the binlog stands (CLIENT), its rows (SLAVE), and a snapshot that agrees with its position (RELOAD).
GRANT RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'caisse_backup'@'@USERS_HOST@';
