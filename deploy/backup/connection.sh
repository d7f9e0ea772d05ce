# Functions shared by the scripts of this folder: connections, accounts, names of binlogs, failures. Sourced by bash.
#
#   DATABASE_NAME    [caisse]
#   DATABASE_SOCKET  [MYSQL_UNIX_PORT, else the client's own] or DATABASE_HOST and DATABASE_PORT [3306]
#   CLIENTS          [mariadb, else mysql] whose programs to use; those of the server's own kind: mysql for MySQL

set -euo pipefail
# Dumps contain sales and customers' names: no other user of the machine may read them.
umask 077

fail() {
    echo "$(basename -- "$0"): $1" >&2
    exit 1
}

# Prints the value of NAME, or what the file named by NAME_FILE holds.
given() {
    local file_name="$1_FILE"
    if [ -n "${!1:-}" ]; then
        printf '%s' "${!1}"
    elif [ -n "${!file_name:-}" ]; then
        cat -- "${!file_name}" || fail "cannot read $file_name"
    fi
}

# connect_as USER PASSWORD: fills `connection` for every client program. The password goes through the environment,
# which only its owner can read; a command line is read by every user of the machine.
connect_as() {
    connection=(--user="$1")
    unset MYSQL_PWD
    [ -z "$2" ] || export MYSQL_PWD=$2
    local socket=${DATABASE_SOCKET:-${MYSQL_UNIX_PORT:-}}
    if [ -n "$socket" ]; then
        connection+=(--protocol=socket --socket="$socket")
    elif [ -n "${DATABASE_HOST:-}" ]; then
        connection+=(--protocol=tcp --host="$DATABASE_HOST" --port="${DATABASE_PORT:-3306}")
    fi
}

ask() {
    "$client" "${connection[@]}" --batch --skip-column-names --default-character-set=utf8mb4 --execute="$1"
}

database=${DATABASE_NAME:-caisse}
case $database in *[!A-Za-z0-9_]*) fail "DATABASE_NAME may have letters, digits and _ only" ;; esac
kind=${CLIENTS:-$(command -v mariadb >/dev/null && echo mariadb || echo mysql)}
if [ "$kind" = mariadb ]; then
    client=mariadb dump=mariadb-dump binlog=mariadb-binlog
else
    client=mysql dump=mysqldump binlog=mysqlbinlog
fi
command -v "$client" "$dump" "$binlog" >/dev/null || fail "$client, $dump and $binlog must be installed"

# position_of FILE: prints `binlog.000002 1234`, where the binlog stood when this dump was taken.
position_of() {
    # It is in the first lines; gzip then reports that its output was closed.
    local named="-- CHANGE (MASTER|REPLICATION SOURCE) TO (MASTER|SOURCE)_LOG_FILE='([^']+)', (MASTER|SOURCE)_LOG_POS=([0-9]+)"
    { gzip -dc -- "$1" 2>/dev/null || true; } | head -n 100 | sed -nE "s/^$named;.*/\3 \5/p"
}

# Copies are called RUN.NAME (20261121T020000Z.binlog.000007), a server's own files just NAME.
plain_name() {
    sed -E 's/^[0-9]{8}T[0-9]{6}Z\.//' <<<"$(basename -- "$1")"
}

# candidates FOLDER NAME: prints the files of a folder that are this binlog or a copy of it, the longest first.
candidates() {
    find "$1" -maxdepth 1 -type f \( -name "$2" -o -name "*Z.$2" \) -printf '%s\t%p\n' | sort -rn | cut -f 2-
}

# newest_binlog FOLDER: prints the name of the last binlog in it, nothing if there is none.
newest_binlog() {
    find "$1" -maxdepth 1 -type f -name '*.[0-9][0-9][0-9][0-9][0-9]*' -printf '%f\n' |
        sed -E 's/^[0-9]{8}T[0-9]{6}Z\.//' | sort -uV | tail -n 1
}

# same_binlogs FOLDER NAME: whether all copies of this binlog begin alike, as those of one server do. A server sets a
# flag in the 22nd byte while the file is open.
same_binlogs() {
    local longest='' other
    while IFS= read -r other; do
        if [ -z "$longest" ]; then
            longest=$other
        elif [ -n "$(cmp -l -n "$(stat -c %s -- "$other")" -- "$longest" "$other" | awk '$1 != 22')" ]; then
            return 1
        fi
    done < <(candidates "$1" "$2")
}
