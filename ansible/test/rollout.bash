# A server's host and two nodes' hosts, bare, on one bed, and an inventory of them. `load` it after the bed.
# shellcheck shell=bash disable=SC2154 # bats sets output and status

declare -gA IN_THE_BED=([queue-1]=h1 [h100-2]=h2 [h100-3]=h3) # by their names in the inventory
SERVER=http://127.0.0.1:8001
PASSWORD=7Days.of+Winter # of the database

# rollout::hosts: as their owner has them before gpuq: somebody may sudo; MySQL and a JDK can be installed or are there, Apptainer is not; there is data, and a
# folder where a checkout may lie before its user is there. One has a disk of its own for the spool, and a checkout that grades in containers.
rollout::hosts() {
    local name
    rollout::mysql_package
    host up --bind "$JDK:/usr/lib/jvm/jdk" --bind "$MYSQL_HOME:/srv/mysql" h1
    host up h2 h3
    host put h1 "$BATS_FILE_TMPDIR/packages" /srv/
    host console h1 sh -euc '
        echo "deb [trusted=yes] file:/srv/packages ./" >/etc/apt/sources.list.d/site.list
        find /etc/apt -name "0*.list" -delete
        rm -f /etc/apt/sources.list
        apt-get -qq update'
    for name in h1 h2 h3; do
        host console "$name" sh -euc 'useradd --create-home --shell /bin/bash ops
            echo "ops ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/ops'
    done
    for name in h2 h3; do
        host put "$name" "$CHECKOUT/examples/data" /srv/
        host console "$name" dpkg --purge apptainer
        host console "$name" mkdir /home/gpuuser
        host console "$name" chmod -R a+rX /srv/data
    done
    host put h2 "$CHECKOUT/node-scripts/test/aira-dojo" /srv/
    host console h2 sh -euc 'chmod -R a+rX /srv/aira-dojo
        mkdir /mnt/disk
        echo "disk /mnt/disk tmpfs rw,mode=755 0 0" >>/etc/fstab
        mount /mnt/disk'
}

# rollout::mysql_package: the real MySQL of the tests as a package that a distribution might have. Its programs are in /srv/mysql.
rollout::mysql_package() {
    local -r root=$BATS_FILE_TMPDIR/mysql packages=$BATS_FILE_TMPDIR/packages
    umask 022
    mkdir -p -- "$root"/{DEBIAN,usr/bin,usr/lib/systemd/system} "$packages"
    printf '%s\n' 'Package: mysql-server' 'Version: 9.0' 'Architecture: all' 'Maintainer: nobody <nobody@localhost>' \
        'Description: MySQL, for tests' >"$root/DEBIAN/control"
    # shellcheck disable=SC2016 # the host expands them
    printf '%s\n' '#!/bin/sh' 'set -e' 'test -d /var/lib/mysql || /srv/mysql/mysqld --user=root --datadir=/var/lib/mysql --initialize-insecure' \
        'systemctl daemon-reload' >"$root/DEBIAN/postinst"
    # shellcheck disable=SC2016 # as above
    printf '%s\n' '#!/bin/sh' 'exec /srv/mysql/mysql "$@" --socket=/run/mysqld.sock' >"$root/usr/bin/mysql"
    # shellcheck disable=SC2016 # as above
    printf '%s\n' '#!/bin/sh' 'exec /srv/mysql/mysqldump "$@" --socket=/run/mysqld.sock' >"$root/usr/bin/mysqldump"
    chmod 755 -- "$root/DEBIAN/postinst" "$root"/usr/bin/mysql{,dump}
    printf '%s\n' '[Service]' 'Type=notify' \
        'ExecStart=/srv/mysql/mysqld --user=root --datadir=/var/lib/mysql --socket=/run/mysqld.sock --mysqlx=OFF --bind-address=127.0.0.1 --innodb-buffer-pool-size=32M' \
        '[Install]' 'WantedBy=multi-user.target' >"$root/usr/lib/systemd/system/mysql.service"
    dpkg-deb --root-owner-group -Znone --build "$root" "$packages/mysql-server.deb" >&2
    {
        cat -- "$root/DEBIAN/control"
        printf 'Filename: ./mysql-server.deb\nSize: %s\nSHA256: %s\n' "$(stat -c %s "$packages/mysql-server.deb")" \
            "$(sha256sum <"$packages/mysql-server.deb" | cut -d ' ' -f 1)"
    } >"$packages/Packages"
}

# rollout::inventory: theirs, in $BATS_FILE_TMPDIR/inventory. What a user of the bed needs to log in stands where a site has its own.
rollout::inventory() {
    local -A login=()
    local key value name
    while read -r key value; do
        login[$key]=$value
    done < <(host login h1)
    mkdir -p -- "$BATS_FILE_TMPDIR/inventory"
    {
        printf '%s\n' 'all:' '  vars:' '    ansible_user: ops' "    ansible_ssh_private_key_file: ${login[key]}" \
            "    ansible_ssh_common_args: -o UserKnownHostsFile=${login[known_hosts]} -o StrictHostKeyChecking=yes -F ${login[ssh_config]}" \
            '  children:' '    servers:' '      hosts:' "        queue-1: {ansible_host: $(address h1)}" \
            '      vars:' \
            '        server_settings: {node: {heartbeat: PT1S, patience: PT5S, checkup: PT2S}}' '    nodes:' '      hosts:'
        printf '        %s: {ansible_host: %s, node_id: %d' h100-2 "$(address h2)" 2
        printf ', %s' 'node_template: aira-dojo, node_aira_dojo: /srv/aira-dojo' "node_image_source: $(host grading)" \
            'node_spool: /mnt/disk/gpuq' 'node_spool_mount: /mnt/disk' 'node_unit_properties: TasksMax=4000}'
        printf '\n        %s: {ansible_host: %s, node_id: %d, node_template: process}\n' h100-3 "$(address h3)" 3
        printf '%s\n' '      vars:' '        node_gpus: 0' '        node_slots: "2"' '        node_data: /srv/data' \
            '        node_data_wanted: [random-acts-of-pizza]' '        node_disk_free: 0' '        node_grace: 1' \
            '        node_packages: [bash, procps]' "        node_apptainer: $(echo "$APPTAINER_HOME"/apptainer_*.deb)"
    } >"$BATS_FILE_TMPDIR/inventory/hosts.yml"
    mkdir -p -- "$BATS_FILE_TMPDIR/inventory/group_vars/servers"
    printf 'server_database_password: %s\n' "$PASSWORD" >"$BATS_FILE_TMPDIR/inventory/group_vars/servers/vault.yml"
    printf 'open sesame\n' >"$BATS_FILE_TMPDIR/vault"
    ANSIBLE_VAULT_PASSWORD_FILE=$BATS_FILE_TMPDIR/vault HOME=$BATS_FILE_TMPDIR \
        ansible-vault encrypt "$BATS_FILE_TMPDIR/inventory/group_vars/servers/vault.yml" >&2
}

address() { # HOST
    host console "$1" sh -c 'hostname -I' | tr -d ' \n'
}

# control TEXT: bash, where the playbooks are: in the checkout, or in that of $FROM.
control() {
    host in env -C "${FROM:-$CHECKOUT}/ansible" ANSIBLE_CONFIG=ansible.cfg ANSIBLE_INVENTORY="$BATS_FILE_TMPDIR/inventory" \
        ANSIBLE_VAULT_PASSWORD_FILE="$BATS_FILE_TMPDIR/vault" ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=false HOME="$BATS_FILE_TMPDIR" \
        bash -euo pipefail -c "$1" </dev/null 3>&-
}

# play WORD…: of ansible-playbook.
play() {
    control "ansible-playbook ${*@Q}"
}

# changed HOST: how much the play in $output changed there.
changed() {
    [[ $output =~ (^|$'\n')"$1 "[^$'\n']*changed=([0-9]+) ]]
    printf '%s' "${BASH_REMATCH[2]}"
}

# untold HOST TEXT: the host's log does not have it.
untold() {
    host run "${IN_THE_BED[$1]}" journalctl --no-pager >"$BATS_TEST_TMPDIR/journal"
    grep -q sudo "$BATS_TEST_TMPDIR/journal"
    run ! grep -F -- "$2" "$BATS_TEST_TMPDIR/journal"
}

# unchanged: the play in $output changed nothing and failed nowhere.
unchanged() {
    local name
    [ "$status" -eq 0 ]
    for name in "${!IN_THE_BED[@]}"; do
        [ "$(changed "$name")" = 0 ] || {
            printf '%s changed\n%s\n' "$name" "$output"
            return 1
        }
    done
}

api() { # PATH [CURL-WORD…]
    host run h1 curl -sS --fail-with-body --max-time 100 "$SERVER$1" "${@:2}"
}

# node NUMBER FILTER: what /api/nodes says of it.
node() {
    api /api/nodes | jq -er --argjson id "$1" ".nodes[] | select(.node_id == \$id) | $2"
}

node_is() { # NUMBER STATUS
    [[ $(node "$1" .status) == "$2" ]]
}

# a_user_of_the_queue: carol, whose token is in $BATS_FILE_TMPDIR/carol.
a_user_of_the_queue() {
    host run h1 gpuq-server user add carol >"$BATS_FILE_TMPDIR/carol"
}

# submit NODE STATEMENT: prints the job's id, or fails. It does that, and is graded. With `any` it goes where there is room.
submit() {
    local -r folder=$(mktemp -d)
    local id
    printf '%s\n' 'import os, shutil, time' "$2" 'shutil.copy("data/sampleSubmission.csv", "submission.csv")' >"$folder/solution.py"
    printf '%s\n' 'competition_id: random-acts-of-pizza' 'project_id: p' 'user_id: carol' "token: \"$(<"$BATS_FILE_TMPDIR/carol")\"" 'expected_time: 5' >"$folder/config.yaml"
    [[ $1 == any ]] || printf 'node_id: %d\n' "$1" >>"$folder/config.yaml"
    host put h1 "$folder" /tmp/ >&2
    id=$(host run h1 curl -sS --fail-with-body --max-time 100 -F "code=@/tmp/${folder##*/}/solution.py" -F "config_file=@/tmp/${folder##*/}/config.yaml" \
        "$SERVER/api/submit?wait=false" | jq -er .job_id) || id=
    rm -r -- "$folder"
    [[ $id ]] && printf '%s\n' "$id"
}

job_is() { # JOB STATUS: else prints what it is
    api "/api/status/$1" | tee "$BATS_TEST_TMPDIR/status" | jq -e --arg status "$2" '.status == $status' >"$BATS_TEST_TMPDIR/is" || {
        cat -- "$BATS_TEST_TMPDIR/status"
        return 1
    }
}

# another_checkout VERSION: of this one, in $FROM.
another_checkout() {
    FROM=$BATS_FILE_TMPDIR/$1
    mkdir -p -- "$FROM/service/target"
    cp -r -- "$CHECKOUT"/{ansible,node-scripts,templates} "$FROM"
    cp -r -- "$CHECKOUT"/service/{bin,lib,jvm.args,systemd} "$FROM/service"
    cp -r -- "$CHECKOUT"/service/target/{gpuq-server.jar,libs} "$FROM/service/target"
    printf '%s\n' "$1" >"$FROM/node-scripts/VERSION"
}
