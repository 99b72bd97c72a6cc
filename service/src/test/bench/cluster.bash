# The measurements of ./bench cluster: a host behind real sshd beside real Slurm, and nodes by the hundred. Sourced by ./bench.
# shellcheck shell=bash

source "$ROOT/.ci/lib/bed.bash" # for BED and GROUPS_AT

readonly BENCH_FILES=$ROOT/service/src/test/bench
readonly SLOTS_OF_BOTH=8
readonly SLURM_HOME=/run/slurm # of the bed: munged wants a path that others cannot write to, and can enter

# cluster::configure FOLDER NODE…: the settings of a server, with each NODE as a line of its list.
cluster::configure() {
    TEMPLATES=$DATA/templates server::configure "$1" "$PORT" 0
    printf '  - {%s}\n' "${@:2}" >>"$1/gpuq.yaml"
}

# cluster::beside_slurm: in a bed.
cluster::beside_slurm() {
    PORT=$(server::free_port)
    cluster::host
    cluster::slurm
    cluster::configure "$DATA/ssh" "id: 1, host: $BED_ADDRESS, key: $DATA/key, known-hosts: $BED_KNOWN"
    server::start "$DATA/ssh"
    server::ready "$PORT" || die "the server did not start: $(tail -n 5 -- "$DATA/ssh/server.log")"
    python3 -B "$BENCH_FILES/beside_slurm.py" "$PORT" "$SERVER_PID" "$GROUPS_AT/h1" \
        "$DATA/slurm.sh" "$SLURM_HOME/ended" "$DATA/slurm/work"
    server::stop
    scontrol shutdown
    "$ROOT/.ci/host" down h1
}

# cluster::host: h1 is a node as the documentation says: a user, the scripts, a spool, a key that is good for two verbs. Its spool lies
# on this machine's disk. On its own, an overlay in memory, a sync would cost nothing, and tail would look once a second only.
cluster::host() {
    local word value
    ssh-keygen -q -t ed25519 -N '' -f "$DATA/key"
    "$ROOT/.ci/host" up h1
    "$ROOT/.ci/host" down h1
    mkdir -- "$DATA/spool" "$BED/h1/root/var/spool/gpuq"
    mount --bind -- "$DATA/spool" "$BED/h1/root/var/spool/gpuq"
    "$ROOT/.ci/host" up h1
    "$ROOT/.ci/host" put h1 "$ROOT/node-scripts" "$ROOT/templates" "$ROOT/examples" /opt/gpuq/
    # shellcheck disable=SC2016 # the host expands it
    "$ROOT/.ci/host" console h1 bash -euc '
        umask 022
        useradd --create-home --shell /bin/bash gpuuser
        loginctl enable-linger gpuuser
        until systemctl is-active --quiet "user@$(id -u gpuuser)"; do sleep 0.02; done
        chmod -R a+rX /opt/gpuq
        ln -s /opt/gpuq/node-scripts/bin/gpuq /usr/local/bin/gpuq
        chown gpuuser: /var/spool/gpuq
        mkdir -p /etc/gpuq
        printf "GPUQ_%s\n" "SLOTS=$0" TEMPLATE=process DATA_DIR=/opt/gpuq/examples/data >/etc/gpuq/gpuq.conf
        install -d -o gpuuser -g gpuuser -m 700 ~gpuuser/.ssh
        printf "command=\"/opt/gpuq/node-scripts/bin/gpuq allow serve watch\",restrict %s\n" "$1" >~gpuuser/.ssh/authorized_keys
        chown gpuuser: ~gpuuser/.ssh/authorized_keys
    ' "$SLOTS_OF_BOTH" "$(<"$DATA/key.pub")"
    while read -r word value; do
        case $word in
            address) BED_ADDRESS=$value ;;
            known_hosts) BED_KNOWN=$value ;;
        esac
    done < <("$ROOT/.ci/host" login h1)
}

# cluster::slurm: a controller and a node on the loopback interface, without SSH, GPUs, accounting and control groups, and with its
# scheduler tuned for short jobs. What it keeps lies on the same disk.
cluster::slurm() {
    local -r home=$SLURM_HOME
    mkdir -m 755 -- "$home" "$home/munge"
    mkdir -- "$DATA/slurm" "$DATA/slurm"/{state,spool,work}
    : >"$home/ended"
    (umask 022 && head -c 128 /dev/urandom >"$home/munge/key" && chmod 400 "$home/munge/key" && chown -R munge: "$home/munge")
    setpriv --reuid=munge --regid=munge --init-groups munged --key-file="$home/munge/key" --socket="$home/munge/sock" \
        --pid-file="$home/munge/pid" --log-file="$home/munge/log" --seed-file="$home/munge/seed"
    cat >"$home/slurm.conf" <<CONF
ClusterName=bench
SlurmctldHost=localhost
SlurmUser=root
AuthInfo=socket=$home/munge/sock
StateSaveLocation=$DATA/slurm/state
SlurmdSpoolDir=$DATA/slurm/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
JobCompType=jobcomp/filetxt
JobCompLoc=$home/ended
NodeName=g1 NodeHostname=localhost CPUs=$SLOTS_OF_BOTH RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=g1 Default=YES
CONF
    printf 'CgroupPlugin=cgroup/v1\n' >"$home/cgroup.conf" # or it asks what there is, and nothing of it is used
    export SLURM_CONF=$home/slurm.conf
    { printf '#!/usr/bin/env bash\n' && cat -- "$DATA/templates/launch/process.sh"; } >"$DATA/slurm.sh"
    chmod 755 -- "$DATA/slurm.sh"
    { slurmctld -c && slurmd -N g1; } >"$home/said" 2>&1 || cluster::slurm_failed
    until [[ $(sinfo -h -o %t 2>/dev/null) == idle ]]; do
        ((SECONDS < 60)) || cluster::slurm_failed
        sleep 0.05
    done
}

cluster::slurm_failed() {
    die "Slurm did not start: $(tail -n 5 -- "$SLURM_HOME/said" "$SLURM_HOME"/*.log)"
}

# cluster::simulated NUMBER: so many nodes that only speak, each channel a process of the server's.
cluster::simulated() {
    local -r number=$1 home=$DATA/nodes-$1
    local -a nodes=()
    local id
    PORT=$(server::free_port)
    for ((id = 0; id < number; id++)); do
        nodes+=("id: $id, local: {command: $(server::yaml "$BENCH_FILES/simulated-node"), config: $home/$id}")
    done
    cluster::configure "$home" "${nodes[@]}"
    mkfifo -- "$home/hub"
    server::start "$home"
    python3 -B "$BENCH_FILES/nodes.py" "$PORT" "$number" "$SERVER_PID" "$home" "$JDK/bin/jcmd"
    grep -h -m 3 -e SEVERE -e ERROR -e OutOfMemory -- "$home/server.log" || true
    server::stop
}
