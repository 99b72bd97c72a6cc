#!/usr/bin/env bats
# shellcheck disable=SC2016 # the hosts expand what is in single quotes
#
# The bed of test hosts does what other tests rely on, and leaves nothing behind.

load bed

setup_file() {
    make_bed
    host up h1 h2
    a_user h1 gpuuser
}

teardown_file() {
    end_bed
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    ROOT=$CHECKOUT
}

# inside HOST TEXT: a bash script, on the console.
inside() {
    host console "$1" bash -euc "$2"
}

boot_of() {
    host console "$1" cat /proc/sys/kernel/random/boot_id
}

# banner HOST: connects to sshd and says what came within a second.
banner() {
    host in timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/22" && echo connected && read -r line <&3 && echo "$line"' "$1"
}

milliseconds() { # COMMAND…: how long it takes
    local -r began=${EPOCHREALTIME/./}
    "$@" >/dev/null
    echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

# network_of PROCESS: the name of its network. in_network NETWORK: the processes that are in it.
network_of() {
    readlink "/proc/$1/ns/net"
}

in_network() {
    find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/ns/net' -lname "${1//[/\\[}" 2>/dev/null
}

nobody_in_network() {
    [ -z "$(in_network "$1")" ]
}

another_bed() { # of this test, in `other`
    "$CHECKOUT/.ci/host" bed sleep infinity </dev/null >/dev/null 2>&1 3>&- 4>&- &
    other=$!
    GPUQ_BED=$other host in true
}

@test "a host boots with systemd as its first process, and no unit has failed" {
    run -0 inside h1 'cat /proc/1/comm; systemctl is-system-running; systemctl --failed --plain --no-legend'
    [ "$output" = $'systemd\nrunning' ]
    run -0 host run h1 uname -n
    [ "$output" = h1 ]
}

@test "arguments arrive as they are, and so does the exit code" {
    run -7 host run h1 bash -c 'printf "<%s>" "$@"; exit 7' bash "a  b" '$HOME;' "it's" '' $'two\nlines'
    [ "$output" = $'<a  b><$HOME;><it\'s><><two\nlines>' ]
    run -7 host console h1 bash -c 'printf "<%s>" "$@"; exit 7' bash "a  b" '$HOME;'
    [ "$output" = '<a  b><$HOME;>' ]
    [ "$(echo hello | host run --user gpuuser h1 cat)" = hello ]
}

@test "two hosts reach each other by name, and nothing leads out" {
    host console h1 ping -q -c 1 -W 5 h2
    host console h2 ping -q -c 1 -W 5 h1
    run -0 host console h1 ip -o route
    [ "$output" = "10.77.0.0/24 dev eth0 proto kernel scope link src 10.77.0.101 " ]
    run -0 host in ip -o route
    [ "$output" = "10.77.0.0/24 dev bed proto kernel scope link src 10.77.0.1 " ]
}

@test "the machine sees nothing of the bed in its network, mounts and devices" {
    [ "$(network_of "$GPUQ_BED")" != "$(network_of self)" ]
    run ! ip link show bed
    run ! ip link show h1
    run ! grep -e /run/bed -e /run/netns/h1 -e gpuq/host- /proc/self/mountinfo
    [ ! -e /run/bed ]
    [ ! -e /run/netns/h1 ]
    [ ! -e /run/systemd/nspawn/propagate/h1 ]
    host console h1 chmod 600 /dev/fuse
    [ ! -e /dev/fuse ] || [ "$(stat -c %i /dev/fuse)" != "$(host console h1 stat -c %i /dev/fuse)" ]
    host console h1 chmod 666 /dev/fuse
}

@test "ssh takes the host's own key and no other" {
    run -0 host in ssh-keyscan -t ed25519 h1 2>/dev/null
    run -0 grep -F "${lines[-1]#h1 }" <(host in cat /run/bed/known_hosts)
    [[ $output == h1,10.77.0.101* ]]
    run -0 host login h1
    [[ $output == *"address 10.77.0.101"*"known_hosts /run/bed/known_hosts"* ]]
    inside h2 'cd /etc/ssh && mkdir aside && mv ssh_host_ed25519_key* aside && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key; systemctl restart ssh'
    run -255 host run h2 true
    inside h2 'cd /etc/ssh && mv aside/* . && rmdir aside && systemctl restart ssh'
    host run h2 true
}

@test "files and folders are put on a host, up or down, and folders are bound into it" {
    mkdir -p folder/below && echo words >"folder/below/a file" && chmod 750 folder && echo more >file && chmod 600 file
    host put h1 folder file /opt/gpuq/
    run -0 inside h1 'cd /opt/gpuq && stat -c "%n %U %a" folder file && cat "folder/below/a file"'
    [ "$output" = $'folder root 750\nfile root 600\nwords' ]
    run -0 host run --user gpuuser h1 ls /opt/gpuq
    host down h2
    host put h2 file /srv
    host up --bind "$PWD/folder:/srv/folder" h2
    run -0 inside h2 'cat /srv/file "/srv/folder/below/a file"'
    [ "$output" = $'more\nwords' ]
    run ! inside h2 'touch /srv/folder/new'
}

@test "a cut host stalls a session, which goes on when it is healed" {
    host run h1 bash -c 'for ((i = 1; ; i++)); do echo $i; sleep 0.02; done' >seen 2>errors 3>&- &
    until_true grep -qx 10 seen
    host cut h1
    run -124 banner h1
    [ -z "$output" ]
    local -r seen=$(wc -l <seen)
    run -124 banner h1
    [ "$(wc -l <seen)" -eq "$seen" ]
    inside h1 'systemctl is-active ssh'
    host heal h1
    until_true grep -qx $((seen + 50)) seen
    kill %1
    [ ! -s errors ]
    head -n $((seen + 50)) seen | diff - <(seq $((seen + 50)))
}

@test "a frozen host accepts a connection, says nothing, and goes on when it is thawed" {
    host freeze h1
    run -124 banner h1
    [ "$output" = connected ]
    run ! host down h1
    [[ $output == *"h1 is frozen and cannot shut down"* ]]
    host thaw h1
    run banner h1
    [[ $output == connected*SSH-2.0* ]]
}

# The disk's upper layer is in this machine's memory, so what was not synced stays as well. A test of fsync needs another disk.
@test "a power cut is silent and ends processes and /run; the disk stays, and the next boot is another one" {
    local boot
    boot=$(boot_of h2)
    inside h2 'echo words >/root/unsynced && touch /run/mark && systemd-run --quiet --unit=mark sleep infinity'
    host run h2 sleep infinity 2>errors 3>&- &
    until_true host console h2 pgrep -f "^sleep infinity$" -u root
    host kill h2
    run ! host run h2 true
    kill -0 %1 # nobody told it
    [ ! -s errors ]
    kill %1
    run -0 host console h2 cat /root/unsynced
    [ "$output" = words ]
    host up h2
    inside h2 '[ -e /root/unsynced ] && [ ! -e /run/mark ] && ! systemctl is-active --quiet mark && ! pgrep -x sleep'
    [ "$(boot_of h2)" != "$boot" ]
    run -0 inside h2 'journalctl --quiet --list-boots | wc -l'
    [ "$output" -gt 1 ]
}

@test "a host that goes down does so in good order, and comes up quickly again" {
    inside h2 'systemd-run --quiet --unit=mark -p ExecStop="touch /root/stopped" sleep infinity'
    host down h2
    run -0 host console h2 ls /root/stopped
    [ "$(milliseconds host up h2)" -lt 20000 ]
    run ! host up h2
    [[ $output == *"h2 is up already"* ]]
}

@test "a host that reboots itself boots again" {
    local -r boot=$(boot_of h2)
    run host run h2 systemctl reboot
    another_boot() { [[ $(boot_of h2) != @(|"$boot") ]] && host run h2 systemctl is-system-running; }
    until_true another_boot
}

@test "a slow link is slow in both directions, and fast again" {
    head -c 98304 /dev/zero >zeros
    host slow 512kbit h1 # 1.5 s, less what the bucket holds
    [ "$(milliseconds host run h1 head -c 98304 /dev/zero)" -gt 1200 ]
    [ "$(milliseconds host run h1 cat <zeros)" -gt 1200 ]
    host fast h1
    [ "$(milliseconds host run h1 head -c 98304 /dev/zero)" -lt 1200 ]
}

@test "a link loses what it is told to lose, in each direction" {
    received() { host console h1 ping -q -i 0.002 -c 400 -W 1 10.77.0.1 | sed -n 's/.*transmitted, \([0-9]*\) received.*/\1/p'; }
    host loss 50 h1 # one in four comes back
    run -0 received
    [ "$output" -gt 40 ]
    [ "$output" -lt 200 ]
    host heal h1
    run -0 received
    [ "$output" -eq 400 ]
}

# A service that is delegated its control group: it moves on into one below, and starts a job in another, which nothing but its
# control group holds together.
readonly SERVICE='cd /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup) && mkdir supervisor job && echo $$ >supervisor/cgroup.procs
(echo $BASHPID >job/cgroup.procs && setsid bash -c "trap : TERM; sleep 1000 & sleep 1000" & exec sleep 1000) & exec sleep 1000'

@test "the ordinary user's units run without a login, and their delegated control groups can be killed" {
    run -0 host run --user gpuuser h1 bash -euxs "$SERVICE" <<'END'
systemctl --user is-system-running
code=0
systemd-run --user --quiet --wait --pipe bash -c 'echo out; exit 7' || code=$?
[ $code -eq 7 ]
systemd-run --user --quiet --unit=service -p Delegate=yes -p KillMode=control-group -p TimeoutStopSec=1 bash -c "$1"
END
    mine() { host run --user gpuuser h1 bash -euc 'cd /sys/fs/cgroup/user.slice/user-$UID.slice/user@$UID.service/app.slice/service.service && '"$1"; }
    until_true mine '[ $(wc -l <job/cgroup.procs) -ge 3 ]'
    mine 'echo 1 >job/cgroup.kill'
    until_true mine 'grep -qx "populated 0" job/cgroup.events'
    mine 'rmdir job && systemctl --user is-active service && mkdir job'
    mine 'systemctl --user stop service'
    run ! mine true
    run ! host run --user gpuuser h1 pgrep -u gpuuser -x sleep
}

@test "root's units run, and their delegated control groups can be killed" {
    run -0 host run h1 systemd-run --quiet --unit=service -p Delegate=yes -p KillMode=control-group -p TimeoutStopSec=1 bash -c "$SERVICE"
    roots() { inside h1 "cd /sys/fs/cgroup/system.slice/service.service && $1"; }
    until_true roots '[ $(wc -l <job/cgroup.procs) -ge 3 ]'
    roots 'echo 1 >job/cgroup.kill'
    until_true roots 'grep -qx "populated 0" job/cgroup.events'
    roots 'systemctl is-active service && systemctl stop service'
    run ! roots true
}

@test "the ordinary user may make user and PID namespaces, with a /proc of their own" {
    run -0 host run --user gpuuser h1 unshare --user --map-current-user --pid --fork --kill-child=KILL --mount-proc ps -eo pid=,user=,comm=
    [[ $output =~ ^\ +1\ gpuuser\ +ps$ ]]
}

@test "the ordinary user runs a program in Apptainer, from an image of one file" {
    grep -qw fuse /proc/filesystems || skip 'this kernel has no FUSE'
    run -0 host run --user gpuuser h1 bash -euxs <<'END'
mkdir -p image/{bin,etc,tmp,proc,sys,dev,root} && cd image
for file in /bin/bash $(ldd /bin/bash | grep -o '/[^ ]*'); do cp --parents -L "$file" .; done
cd .. && mksquashfs image image.sqfs -quiet -no-progress
apptainer --silent exec --containall --no-home --pwd / image.sqfs /bin/bash -c 'echo "of $UID, as process $$"'
END
    [[ ${lines[-1]} == "of 1000, as process "* ]]
}

@test "a snapshot has what was set up, and the host made from it a name and keys of its own" {
    inside h2 'echo words >/etc/provisioned && rm -r /etc/sudoers.d'
    host down h2
    host snapshot h2 provisioned
    host up --from provisioned h3
    run -0 inside h3 'cat /etc/provisioned; [ ! -e /etc/sudoers.d ]; uname -n'
    [ "$output" = $'words\nh3' ]
    host up h2
    run -0 inside h2 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub'
    local -r theirs=$output
    run -0 inside h3 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub'
    [ "${lines[0]}" != "${theirs%%$'\n'*}" ]
    [ "${lines[1]}" != "${theirs##*$'\n'}" ]
    host rm h3
}

# everything: what there is in the bed, but for those who look.
everything() {
    host in bash -c 'cat /run/bed/known_hosts; ls /run/bed /run/netns; ip -o link | cut -d: -f2; nft list tables
        cut -d" " -f 4-5 /proc/self/mountinfo; find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d
        for process in /proc/[0-9]*; do readlink $process/ns/net $process/ns/mnt; done | sort -u'
}

@test "rm leaves no mount, namespace, process, link, control group or file" {
    everything >before
    host up h4
    host loss 10 h4 && host slow 1mbit h4 && host freeze h4
    everything >after
    run ! diff before after
    host rm h4
    everything | diff before -
    host up h4 && host down h4
    host rm h4
    everything | diff before -
}

@test "a bed that ends leaves no process and no control group" {
    another_bed
    local -r network=$(network_of $other) group=$(GPUQ_BED=$other host in cat /run/bed/group)
    GPUQ_BED=$other host up h1
    [ -n "$(in_network "$network")" ]
    kill $other
    run wait $other
    until_true nobody_in_network "$network"
    host bed bash -c 'true' # it can be started again, and says so by its status
    run -3 host bed bash -c "[ ! -e /proc/$other/root$group ]; exit 3"
}

@test "a bed whose process is killed takes everything with it, and the next removes its control group" {
    another_bed
    local -r network=$(network_of $other)
    GPUQ_BED=$other host up h1
    kill -KILL $other
    until_true nobody_in_network "$network"
    host bed true
}

@test "a bed ends with whoever started it, also when that is killed" {
    bash -c '"$0/.ci/host" bed sleep infinity & echo $! >bed; wait' "$ROOT" </dev/null >/dev/null 2>&1 3>&- 4>&- &
    until_true [ -s bed ]
    local -r other=$(<bed)
    GPUQ_BED=$other host up h1
    local -r network=$(network_of "$other")
    kill -KILL %1
    until_true nobody_in_network "$network"
}

@test "two beds on one machine have the same names and addresses and do not meet" {
    another_bed
    GPUQ_BED=$other host up h1
    GPUQ_BED=$other host run h1 touch /root/theirs
    run ! host run h1 ls /root/theirs
    GPUQ_BED=$other host freeze h1
    host run h1 true
    GPUQ_BED=$other host rm h1
    host run h1 true
    kill $other
    run wait $other
    host run h1 true
}

@test "without a bed, and for a host that there is not, one sentence says what to do" {
    run -1 env -u GPUQ_BED "$ROOT/.ci/host" up h1
    [[ $output == *"there is no bed here: start one with"* ]]
    run -1 env GPUQ_BED=4194304 "$ROOT/.ci/host" up h1
    [[ $output == *"the bed 4194304 has ended"* ]]
    run -1 host run h9 true
    [[ $output == *"there is no h9: host up h9 makes it"* ]]
    run -64 host up nine
    [[ $output == *"hosts are called h1 to h99"* ]]
    run -64 host boil h1
    [[ $output == *"there is no verb boil"* ]]
}
