#!/usr/bin/env bats
load fixture

# Byte for byte: what serve must print, and what it prints.
answers() { # EXPECTED, commands on stdin
    gpuq serve >answers
    sed 1d answers >without-greeting
    printf '%s' "$1" >expected
    diff expected without-greeting
}

@test "greets with protocol, spool, boot, version and epoch" {
    run gpuq serve </dev/null
    [ "$status" -eq 0 ]
    [[ $output =~ ^"GPUQ 1 serve spool="[0-9a-f-]{36}" boot=$(</proc/sys/kernel/random/boot_id) version=0.1.0 epoch=0"$ ]]
}

@test "results that are released and purged while they are fetched arrive whole" {
    payload "$ID" 1 $'printf "{}\n" >results.jsonl\n'
    send_payload 7 "$ID" 1 | gpuq serve >answers
    until_true state_is "$ID" ended
    mkdir bin
    printf '%s\n' '#!/bin/sh' "/usr/bin/stat \"\$@\"" "[ \"\$2\" != - ] || { mv $GPUQ_SPOOL/jobs/$ID.1 away && touch moved; }" >bin/stat
    chmod +x bin/stat
    PATH=$PWD/bin:$PATH answers $'1 0 3\n{}\n2 66 65\nno job '"$ID with attempt 1 here."$'\n' < <(
        send 1 0 fetch "$ID" 1 results 0 1000
        send 2 0 fetch "$ID" 1 results 0 1000
    )
    [ -e moved ]
}

@test "a submit is answered with the record, runs, and can be fetched and released" {
    payload "$ID" 1 $'echo out\nprintf "{}\n" >results.jsonl\n'
    send_payload 7 "$ID" 1 | gpuq serve >answers
    grep -qx "job $ID" answers
    grep -qx 'state waiting' answers
    read -r tag code length < <(sed -n 2p answers)
    [ "$tag $code" = '7 0' ]
    [ "$(sed 1,2d answers | wc -c)" -eq "$length" ]
    until_true state_is "$ID" ended
    answers $'1 0 3\n{}\n2 0 1\n}3 0 0\n4 0 4\nout\n5 0 0\n6 66 '65$'\n'"no job $ID with attempt 2 here."$'\n' < <(
        send 1 0 fetch "$ID" 1 results 0 1000
        send 2 0 fetch "$ID" 1 results 1 1
        send 3 0 fetch "$ID" 1 results 3 1000
        send 4 0 fetch "$ID" 1 stdout 0 1000
        send 5 0 release "$ID" 1
        send 6 0 release "$ID" 2
    ) || { cat without-greeting; return 1; }
    [ -d "$GPUQ_SPOOL/released/$ID.1" ]
    send 8 0 list | gpuq serve | grep -qv "$ID"
    [ "$(send 8 0 list | gpuq serve | grep -c "^job ")" -eq 0 ]
    send 8 0 status "$ID" 1 | gpuq serve | grep -qx 'outcome exited'
}

@test "files cross byte for byte, NULs and bytes above 127 among them, small and large" {
    for size in 300 100000; do
        id=$(</proc/sys/kernel/random/uuid)
        payload "$id" 1 ':' template process competition pizza
        head -c "$size" /dev/urandom >solution.py
        {
            printf 'file job %d\nfile launch.sh 1\nfile solution.py %d\n\n' "$(stat -c %s job)" "$size"
            cat job launch solution.py
        } >payload
        { send_payload 1 "$id" 1; send 2 0 info; } | gpuq serve >answers
        grep -q '^2 0 ' answers
        cmp solution.py "$(home "$id")/work/solution.py"
        send 3 0 fetch "$id" 1 solution 0 1048576 | gpuq serve | sed 1,2d | cmp solution.py -
    done
}

@test "a submit sent again gives the same job, and one run" {
    payload "$ID" 1 "echo x >>$PWD/ran"
    for _ in 1 2 3; do send_payload 1 "$ID" 1; done | gpuq serve >answers
    until_true state_is "$ID" ended
    { send_payload 1 "$ID" 1; send 2 0 release "$ID" 1; send_payload 3 "$ID" 1; } | gpuq serve | grep -c '^outcome exited' | grep -qx 2
    [ "$(<ran)" = x ]
    is_empty incoming queue
}

@test "cancel and withdraw of an unknown pair leave a tombstone that a late submit finds" {
    payload "$ID" 1 "touch $PWD/ran"
    { send 1 0 cancel "$ID" 1; send_payload 2 "$ID" 1; send 3 0 cancel "$ID" 1; } | gpuq serve >answers
    [ "$(grep -c '^outcome cancelled$' answers)" -eq 3 ]
    payload "$ID" 2 "touch $PWD/ran"
    { send 1 0 withdraw "$ID" 2; send_payload 2 "$ID" 2; send 3 0 list; } | gpuq serve >answers
    [ "$(grep -c '^outcome withdrawn$' answers)" -eq 3 ]
    [ "$(wc -l <"$GPUQ_SPOOL/jobs/$ID.2")" -eq 1 ]
    [ ! -e ran ]
}

@test "withdraw takes a waiting job and leaves a running one" {
    payload "$ID" 1 'sleep 4712'
    send_payload 1 "$ID" 1 | gpuq serve
    until_true state_is "$ID" running
    other=$(</proc/sys/kernel/random/uuid)
    payload "$other" 1 ':'
    { send_payload 1 "$other" 1; send 2 0 withdraw "$other" 1; send 3 0 withdraw "$ID" 1; } | gpuq serve >answers
    sed -n '/^2 0/,/^3 0/p' answers | grep -qx 'outcome withdrawn'
    sed -n '/^3 0/,$p' answers | grep -qx 'state running'
    gpuq cancel "$ID"
}

@test "garbage is answered 64 as long as its length can be read" {
    answers $'0 64 47\na command is TAG EPOCH VERB [WORD ...] LENGTH.\n5 64 27\nthere is no command \'fly\'.\n6 64 21\ninfo takes no words.\n7 64 47\na command is TAG EPOCH VERB [WORD ...] LENGTH.\n0 64 47\na command ends with the length of its payload.\n' < <(
        printf '../../etc $(id) `x` 5\nabcde'
        send 5 0 fly
        send 6 0 info me
        send 7 0 status ../../etc 1
        printf 'what\n'
        send 8 0 info
    )
}

@test "enormous lengths are refused, negative and signed ones too" {
    for length in 67108865 99999999999999999999 -1 +1 0x10 007; do
        printf '1 0 info %s\n' "$length" | gpuq serve | sed 1d | grep -q '^1 64 '
    done
    head -c 100000 /dev/zero | tr '\0' a | gpuq serve | grep -q '^0 64'
}

@test "hostile bundles are refused, leave nothing, and do not disturb the conversation" {
    declare -i tries=0
    add() { # what is in payload
        tries+=1
        send_payload "$tries" "$ID" 1 >>conversation
    }
    manifest() { # TEXT
        printf '%b' "$1" >payload
        add
    }
    payload "$ID" 1 ':'
    good=$(<job)
    manifest '\n'
    manifest 'file ../../x 1\n\na'
    manifest 'file evil 1\n\na'
    manifest 'file -rf 1\n\na'
    manifest 'file launch.sh 1\nfile launch.sh 1\n\naa'
    manifest 'file launch.sh 2\n\na'
    manifest 'file launch.sh 1\n\naa'
    manifest 'file launch.sh 1\0\n\na'
    manifest "file job $((${#good} + 1))\n\n$good\n"
    for fact in job attempt origin template gpus priority expected_time time_limit submitted_at competition; do
        for value in '../../x' '$(id)' '-rf' $'a\x01b'; do
            payload "$ID" 1 ':' "$fact" "$value"
            add
        done
    done
    payload "$ID" 1 ':' user $'a\x1b[2J'
    add
    payload "$ID" 1 ':' gpus ''
    add
    payload "$ID" 1 ':' state ended # the node's to say
    add
    payload "$ID" 1 ':' gpus 2 # more than there are
    add
    payload "$ID" 1 ':' competition pizza # without a solution
    add
    send 999 0 info >>conversation
    gpuq serve <conversation >answers
    [ "$(grep -cE '^[0-9]+ 64 [0-9]+$' answers)" -eq "$tries" ]
    grep -q '^999 0 ' answers
    is_empty jobs incoming queue
}

@test "a torn payload ends the conversation and leaves nothing" {
    payload "$ID" 1 ':'
    send_payload 1 "$ID" 1 | head -c -1 | gpuq serve >answers
    [ "$(wc -l <answers)" -eq 1 ]
    is_empty jobs incoming queue
}

@test "a draining node refuses new jobs with 69 and still knows the old" {
    gpuq drain --reason 'a fan is broken'
    payload "$ID" 1 ':'
    { send_payload 1 "$ID" 1; send 2 0 info; } | gpuq serve >answers
    grep -q '^1 69 ' answers
    grep -qx 'drain a fan is broken' answers
}

@test "drain and resume are told over the conversation, the reason as the payload, and answered with the node's record" {
    local -r reason=$'a f\xc3\xa4n; $(touch here) is "broken"'
    {
        printf '1 0 drain %d\n%s' "$(printf %s "$reason" | wc -c)" "$reason"
        send 2 0 resume
    } | gpuq serve >answers
    grep -qx "drain $reason" answers
    grep -q '^1 0 ' answers
    [ "$(grep -c '^spool ' answers)" -eq 2 ]
    [ "$(grep -c '^drain ' answers)" -eq 1 ]
    [ ! -e "$GPUQ_SPOOL/drain" ]
    [ ! -e here ]
}

@test "a drain without a reason, with two lines or with too much of it is refused, and the conversation goes on" {
    {
        send 1 0 drain
        printf '2 0 drain 3\na\nb'
        printf '3 0 drain 501\n%0501d' 0
        printf '4 0 drain now 1\nx'
        printf '5 0 resume 1\nx'
        send 6 0 info
    } | gpuq serve >answers
    [ "$(grep -cE '^[1-5] 64 ' answers)" -eq 5 ]
    grep -q '^6 0 ' answers
    [ ! -e "$GPUQ_SPOOL/drain" ]
}

@test "an older lease epoch is refused, for ever" {
    { send 1 5 info; send 2 4 info; } | gpuq serve | grep -q '^2 77 '
    send 1 4 info | gpuq serve | grep -q '^1 77 '
    send 1 5 info | gpuq serve | grep -q 'epoch=5$'
}

@test "the latest attempts of jobs are told, also of those that are released or purged, and of no others" {
    local -r second=${ID/550e/660e} third=${ID/550e/770e} strange=${ID/550e/880e}
    {
        for attempt in 2 10 9; do send 1 0 withdraw "$ID" "$attempt"; done
        send 1 0 withdraw "$second" 1
        send 1 0 withdraw "$third" 1
        send 1 0 release "$ID" 10
        send 1 0 release "$second" 1
    } | gpuq serve >/dev/null
    mv "$GPUQ_SPOOL/released/$second.1" "$GPUQ_SPOOL/purged/"
    mkdir "$GPUQ_SPOOL/jobs/$ID.11x"
    latest() { # ID…
        local ids
        printf -v ids '%s\n' "$@"
        printf '5 0 latest %d\n%s' "${#ids}" "$ids"
    }
    { latest "$ID" "$second" "$strange"; send 6 0 latest; latest "$ID" '$(id)'; send 7 0 latest me; } | gpuq serve | sed 1d >answers
    [ "$(sed '/^6 /,$d' answers | sort)" = "5 0 91"$'\n'"known $ID 10"$'\n'"known $second 1" ]
    [ "$(sed -n '/^6 /,$p' answers)" = $'6 0 0\n5 64 55\nthe payload of latest is one id of a job in each line.\n7 64 23\nlatest takes no words.' ]
}

@test "facts that a job has spoilt are as they were when it has ended, and hide nothing while it runs" {
    local spoil
    for spoil in 'printf x >>"$1"' 'echo >>"$1"' 'echo "seq 9" >>"$1"' 'echo "job x" >"$1"' 'printf "state ended\noutcome exited\n" >"$1"' 'rm "$1"; mkdir "$1"' ': >"$1"'; do
        ID=$(</proc/sys/kernel/random/uuid)
        payload "$ID" 1 "set -- $GPUQ_SPOOL/jobs/$ID.1/job; $spoil; touch spoilt; until [ -e $PWD/go ]; do sleep 0.02; done"$'\n'
        send_payload 7 "$ID" 1 | gpuq serve >answers
        cp -- "$GPUQ_SPOOL/jobs/$ID.1/job" facts
        until_true [ -e "$GPUQ_SPOOL/jobs/$ID.1/work/spoilt" ]
        # shellcheck disable=SC2016 # the job expands it
        if [[ $spoil != 'rm "$1"; mkdir "$1"' && $spoil != ': >"$1"' ]]; then
            send 1 0 status "$ID" 1 | gpuq serve | sed 1,2d >now
            [ "$(grep -c "^job $ID\$" now) $(grep -c '^job ' now) $(grep -c '^attempt 1$' now) $(grep -c '^seq ' now) $(grep -c '^state running$' now)" = '1 1 1 1 1' ]
            run ! grep -n '^$' now
        fi
        touch go
        until_true state_is "$ID" ended
        cmp facts "$GPUQ_SPOOL/jobs/$ID.1/job"
        rm go
    done
}

@test "facts that are torn when a supervisor is killed are told as far as they are any" {
    payload "$ID" 1 $'exec sleep 600\n'
    send_payload 7 "$ID" 1 | gpuq serve >answers
    until_true state_is "$ID" running
    printf 'job %s\n\ngpus 0\nx' "$ID" >"$GPUQ_SPOOL/jobs/$ID.1/job"
    pkill -KILL -f "gpuq supervise $ID"
    gpuq dispatch
    until_true state_is "$ID" ended
    send 1 0 status "$ID" 1 | gpuq serve | sed 1,2d >now
    [ "$(sed -n 1,3p now | cut -d ' ' -f 1 | tr '\n' ' ')" = 'job attempt seq ' ]
    grep -qx 'outcome system' now
}

@test "links and pipes in the place of results are no results" {
    for trick in 'ln -s /etc/passwd results.jsonl' 'mkfifo results.jsonl' 'mkdir results.jsonl'; do
        id=$(</proc/sys/kernel/random/uuid)
        payload "$id" 1 "$trick"
        send_payload 1 "$id" 1 | gpuq serve
        until_true state_is "$id" ended
        send 1 0 fetch "$id" 1 results 0 10 | gpuq serve | grep -q '^1 66 '
    done
}

@test "while nobody speaks it heals: a killed supervisor is told within seconds" {
    mkfifo in
    gpuq serve <in >answers &
    exec 7>in
    payload "$ID" 1 'sleep 4713'
    send_payload 1 "$ID" 1 >&7
    until_true state_is "$ID" running
    kill -KILL "$(supervisor_of "$ID")"
    until_true grep -qx 'reason supervisor_lost' "$(home "$ID")/status"
    exec 7>&-
    wait
}
