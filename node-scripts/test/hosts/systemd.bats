#!/usr/bin/env bats
# shellcheck disable=SC2016 # the hosts expand what is in single quotes
#
# The node scripts on a real host with systemd: as root, as an ordinary user whose services outlive his logins (lasting), and as
# one whose services do not (passing).

load fixture

setup_file() {
    make_bed
    host up h1
    scripts_on h1
    on h1 'useradd --create-home --shell /bin/bash passing'
    a_user h1 lasting
    # Logging out ends what a login left behind, as careful sites have it.
    on h1 'mkdir -p /etc/systemd/logind.conf.d && printf "[Login]\nKillUserProcesses=yes\n" >/etc/systemd/logind.conf.d/kill.conf'
    on h1 'systemctl restart systemd-logind'
}

teardown_file() {
    end_bed
}

as() { # USER TEXT: a bash script in a login of its own, which is over when it ends
    host run --user "$1" h1 bash -euo pipefail -c "export GPUQ_SPOOL=~/spool GPUQ_GRACE=1; $2"
}

# A job that double-forks, leaves its session, and ignores TERM; its id is in `id`.
stubborn() { # USER MARK
    as "$1" 'cat >job.sh' <<END
trap "" TERM
(setsid bash -c 'trap "" TERM; sleep $2.1 & sleep $2.2' &)
sleep $2.3
END
    id=$(as "$1" 'gpuq submit --script job.sh')
    until_true on h1 "pgrep -f 'sleep $2.2'"
}

outcome_of() { # USER ID
    as "$1" "gpuq status --json $2 | jq -r .outcome"
}

@test "root's jobs are units of the system, a lasting user's are his own, a passing user gets none" {
    [ "$(as root 'gpuq info --json | jq -r ".units, .contained" | paste -sd " "')" = 'system namespace' ]
    [ "$(as lasting 'gpuq info --json | jq -r ".units, .contained" | paste -sd " "')" = 'user namespace' ]
    [ "$(as passing 'gpuq info --json | jq -r ".units, .contained" | paste -sd " "')" = 'none namespace' ]
    for user in root lasting passing; do
        as $user 'echo "grep ^0:: /proc/self/cgroup; exit 3" >job.sh'
        run -3 as $user 'id=$(gpuq submit --script job.sh); gpuq log -f $id; gpuq wait $id'
        case $user in
            root) [[ $output == 0::/system.slice/gpuq-*.service/job ]] ;;
            lasting) [[ $output == 0::/user.slice/user-*.slice/user@*.service/app.slice/gpuq-*.service/job ]] ;;
            passing) [[ $output == 0::/user.slice/user-*.slice/session-*.scope ]] ;;
        esac
    done
}

@test "a job outlives the login that submitted it, where units do" {
    for user in root lasting; do
        as $user 'echo "until [ -e \$GO ]; do sleep 0.05; done" >job.sh; rm -f go'
        id=$(as $user 'gpuq submit --script job.sh --env GO=$HOME/go')
        until_true as $user "[ \$(gpuq status --json $id | jq -r .state) = running ]"
        as $user 'touch go'
        as $user "gpuq wait $id"
    done
    run -1 as passing 'gpuq doctor'
    [[ $output == *contained*fail*'logging out ends jobs'* ]]
    run as lasting 'gpuq doctor'
    [[ $output == *contained*ok*'systemd unit of the user'* ]]
}

@test "nothing of a job outlives a cancel, nor the kill -9 of its supervisor" {
    for user in root lasting; do
        stubborn $user 4741
        as $user "gpuq cancel $id"
        gone 'sleep 4741'
        [ "$(outcome_of $user "$id")" = cancelled ]
        stubborn $user 4742
        kill_supervisor $user
        gone 'sleep 4742'
        [ "$(outcome_of $user "$id")" = system ]
    done
}

kill_supervisor() { # USER: of `id`
    run -75 as "$1" "kill -KILL \$(awk '/^supervisor/ {print \$2}' spool/jobs/$id.1/life); gpuq wait $id"
}

@test "where namespaces are refused the control group alone leaves nothing of a job" {
    as lasting 'systemd-run --user --quiet --wait --pipe --setenv=GPUQ_SPOOL --property=RestrictNamespaces=yes gpuq recover'
    [ "$(as lasting 'gpuq info --json | jq -r ".units, .contained" | paste -sd " "')" = 'user group' ]
    stubborn lasting 4743
    as lasting "gpuq cancel $id"
    gone 'sleep 4743'
    stubborn lasting 4744
    kill_supervisor lasting
    gone 'sleep 4744'
    # What it left in the background ends with it as well.
    as lasting 'echo "setsid sleep 4745 & exit 4" >job.sh'
    run -4 as lasting 'gpuq wait $(gpuq submit --script job.sh)'
    gone 'sleep 4745'
    as lasting 'gpuq recover'
    [ "$(as lasting 'gpuq info --json | jq -r .contained')" = namespace ]
}

@test "a unit has the properties of the site, and a name that tells the job" {
    as lasting 'echo "ulimit -n; until [ -e \$HOME/go ]; do sleep 0.05; done" >job.sh; rm -f go'
    id=$(as lasting 'export GPUQ_UNIT_PROPERTIES="LimitNOFILE=123 CPUWeight=50"; gpuq submit --script job.sh')
    until_true as lasting "systemctl --user list-units --plain --no-legend 'gpuq-$id.1.*.service' | grep ."
    as lasting 'touch go'
    [ "$(as lasting "gpuq wait $id; gpuq log $id")" = 123 ]
    # And it goes away with the job.
    run as lasting "systemctl --user list-units --all --plain --no-legend 'gpuq-$id.1.*.service'"
    [ -z "$output" ]
}

@test "a spool and settings with blanks, dollars and percents in their names are no riddle to systemd" {
    as lasting 'mkdir -p "$HOME/a \$HOME %n b"; cd "$HOME/a \$HOME %n b"; echo GPUQ_SLOTS=3 >conf; echo "exit 5" >"job \$x %i.sh"'
    run -5 as lasting 'cd "$HOME/a \$HOME %n b"; export GPUQ_CONF=conf GPUQ_SPOOL="$PWD/spool"; gpuq wait $(gpuq submit --script "job \$x %i.sh" --gpus 3)'
}

@test "a conversation that is cut off does not take the job along" {
    as lasting 'echo "until [ -e \$HOME/go ]; do sleep 0.05; done; exit 6" >launch; rm -f go'
    local -r job=550e8400-e29b-41d4-a716-446655440000
    as lasting "printf '%s\n' 'job $job' 'attempt 1' 'origin server' 'user u' 'template script' 'gpus 1' 'priority 0' \
        'expected_time 5' 'time_limit 60' 'submitted_at 1763400000123456' >job
        { printf 'file job %d\nfile launch.sh %d\n\n' \$(stat -c %s job launch); cat job launch; } >payload"
    as lasting "{ echo '1 0 submit $job 1' \$(stat -c %s payload); cat payload; } | sed 's/^\(1 0 submit.*\) *$/\1/' >commands"
    as lasting 'gpuq serve <commands' | grep -q '^1 0 '
    as lasting 'touch go'
    run -6 as lasting "gpuq wait $job"
}

@test "after a power cut nothing pretends to run, and the timer starts what waited without anybody looking" {
    on h1 'cp /opt/gpuq/node-scripts/systemd/* /etc/systemd/system/
        for unit in gpuq-dispatch gpuq-purge; do
            mkdir -p /etc/systemd/system/$unit.service.d
            printf "[Service]\nUser=lasting\nEnvironment=GPUQ_SPOOL=/home/lasting/spool\n" >/etc/systemd/system/$unit.service.d/user.conf
        done
        mkdir -p /etc/systemd/system/gpuq-dispatch.timer.d
        printf "[Timer]\nOnBootSec=1\nAccuracySec=1us\n" >/etc/systemd/system/gpuq-dispatch.timer.d/soon.conf
        systemctl daemon-reload
        systemctl enable --quiet --now gpuq-dispatch.timer gpuq-purge.timer'
    as lasting 'echo "sleep 4746" >job.sh; echo "echo x >>~/ran; sleep 0.1" >next.sh; rm -f ran'
    id=$(as lasting 'gpuq submit --script job.sh')
    next=$(as lasting 'gpuq submit --script next.sh')
    until_true on h1 "pgrep -f 'sleep 4746'"
    host kill h1
    host up h1
    until_true on h1 '[ -e /home/lasting/ran ]'
    as lasting "gpuq wait $next"
    [ "$(as lasting 'cat ran')" = x ]
    [ "$(as lasting "gpuq status --json $id | jq -r .reason")" = rebooted ]
    [ "$(as lasting 'gpuq info --json | jq -r .units')" = user ]
    on h1 'systemctl start gpuq-dispatch.service gpuq-purge.service && systemctl is-system-running'
}

@test "what holds by hand and on this machine holds in units, root's and a user's" {
    local -a which=(--filter 'kill -9|orphan that ignores TERM|cancel against end|submits at once|side by side|in the order')
    for user in root lasting; do
        run host run --user $user h1 env GPUQ_TEST_SUBMITS=30 \
            bats --formatter tap "${which[@]}" /opt/gpuq/node-scripts/test/{submit,cancel,recover}.bats
        [ "$status" -eq 0 ] || {
            echo "$user: $output"
            return 1
        }
    done
}

@test "a configuration that the user may not even look for is a fault, not an absent one" {
    on h1 'mkdir -m 700 /etc/gpuq && echo GPUQ_SLOTS=7 >/etc/gpuq/gpuq.conf'
    run -78 as passing 'gpuq info'
    [[ $output == *'/etc/gpuq/gpuq.conf cannot be read'* ]]
    on h1 'chmod 755 /etc/gpuq && chmod 644 /etc/gpuq/gpuq.conf'
    run -0 as passing 'gpuq info --json | jq .slots'
    on h1 'rm -r /etc/gpuq'
}
