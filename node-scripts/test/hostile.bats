#!/usr/bin/env bats
# shellcheck disable=SC2016 # hostile words are in single quotes
# What strangers, their programs, broken disks and wrong clocks leave in a spool and write on a command line.
load fixture

SEED=${GPUQ_TEST_SEED:-$SRANDOM}
LOOKS=(info queue list 'list --json' 'queue --json' 'info --json' dispatch recover doctor 'purge --dry-run' purge)

# The verb comes back soon, with a code that the pages know, one line of complaint at most, and has run nothing of the words.
sane() { # VERB WORD…
    local -i code=0
    timeout 20 gpuq "$@" >out 2>err </dev/null || code=$?
    case $code in
        0 | 1 | 64 | 66 | 69 | 70 | 75 | 77 | 78) ;;
        *) false ;;
    esac && (($(wc -l <err) <= 1)) && ((code == 0 || $(wc -l <err) == 1 || $(wc -l <out) > 0)) && ! grep -q '[[:cntrl:]]' err &&
        [[ ! -e $BATS_TEST_TMPDIR/pwned ]] || {
        printf '%s: gpuq %s: code %d\n' "${SHAPE:-}" "${*@Q}" "$code"
        cat err
        return 1
    }
}

all_look() {
    local look
    for look in "${LOOKS[@]}"; do
        # shellcheck disable=SC2086 # a verb and its option
        sane $look
    done
    send 1 0 list | timeout 20 gpuq serve >out 2>err || [ "$?" -eq 75 ]
    grep -q '^1 0 ' out || grep -q '^gpuq serve: ' err
    timeout 20 gpuq list --json | jq -e . >/dev/null
    timeout 20 gpuq queue --json | jq -e . >/dev/null
}

still_works() {
    script job.sh 'echo works'
    id=$(timeout 20 gpuq submit --script job.sh)
    timeout 20 gpuq wait "$id"
    [ "$(gpuq log "$id")" = works ]
}

waiting_job() { # in `id`, its home in `home`
    script waiting.sh ':'
    gpuq drain
    id=$(gpuq submit --script waiting.sh)
    home=$(home "$id")
}

EVIL='a[$(touch '$BATS_TEST_TMPDIR'/pwned)]'
WORDS_FROM_HELL=(
    '' - -- --- -rf ../../etc/passwd / . .. '*' '?' '~' $'a\nb' $'\e[2J' $'\xff\xfe' 'a b' "'" '"' $'\\' '%s%n'
    '$(touch '"$BATS_TEST_TMPDIR"'/pwned)' '`touch '"$BATS_TEST_TMPDIR"'/pwned`' "$EVIL" "$ID.99999999999999999999"
    550e8400/../x '[a-f]*' '????' 9223372036854775808 -1 0x10 "$(printf 'a%.0s' {1..5000})"
)

@test "words from hell, for every verb, are one line and a code" {
    gpuq info >/dev/null
    local word verb
    for word in "${WORDS_FROM_HELL[@]}"; do
        for verb in status cancel withdraw wait log release fetch; do
            sane "$verb" "$word"
            sane "$verb" -- "$word"
        done
        sane fetch "$ID" "$word"
        sane submit "$word"
        sane submit --script "$word"
        sane submit --competition "$word" -- "$word"
        sane log --lines "$word" "$ID"
        sane supervise "$word" "$word" "$word"
        sane watch --from "$word"
        sane purge --older-than "$word"
        sane "$word"
        [[ $word == *[![:cntrl:]]* && $word != *[[:cntrl:]]* ]] || sane drain --reason "$word"
    done
    is_empty jobs queue slots
}

@test "options from hell are refused, or kept as they are" {
    script job.sh ':'
    gpuq drain
    local word option
    for word in "${WORDS_FROM_HELL[@]}"; do
        for option in time expected gpus priority name env competition; do
            sane submit --script job.sh "--$option=$word"
        done
        sane submit --script job.sh -- "$word"
        printf '#GPUQ --name %s --time %s\n:\n' "$word" "$word" >own.sh
        sane submit --script own.sh
    done
    all_look
    gpuq resume
    until_true is_idle
    [ ! -e "$BATS_TEST_TMPDIR/pwned" ]
}

@test "what is no file is no script, at once; one that is too large is refused" {
    mkfifo pipe
    mkdir directory
    : >empty
    truncate -s 65M large
    ln -s /dev/zero zeros
    ln -s nowhere dangling
    local file
    for file in pipe /dev/zero zeros directory dangling empty large /dev/null /dev/tcp/127.0.0.1/1; do
        sane submit --script "$file"
        [ ! -s out ]
        sane submit "$file" --competition pizza
        [ ! -s out ]
    done
    head -c 68000000 /dev/zero | { run gpuq submit --script -; [ "$status" -eq 64 ]; }
    is_empty jobs incoming
}

@test "foreign things in every directory of the spool are left alone, and harm nothing" {
    still_works
    mkdir precious
    : >precious/file
    local folder
    for folder in "$GPUQ_SPOOL" "$GPUQ_SPOOL"/{blank,incoming,jobs,queue,slots,released,purged,journal}; do
        mkfifo "$folder/pipe" "$folder/$ID.1"
        ln -s "$PWD/precious" "$folder/link"
        ln -s nowhere "$folder/dangling"
        ln -s /dev/zero "$folder/zeros"
        mkdir "$folder/folder"
        : >"$folder/-rf"
        : >"$folder/"$'new\nline'
        : >"$folder/"'$(touch '"${BATS_TEST_TMPDIR//\//%}"')'
        : >"$folder/$(printf 'x%.0s' {1..255})"
        head -c 100000 /dev/urandom >"$folder/random"
        head -c 3000000 /dev/zero >"$folder/zero"
    done
    mkfifo "$GPUQ_SPOOL/slots/slot7" "$GPUQ_SPOOL/slots/slot0x"
    : >"$GPUQ_SPOOL/slots/slot"'a[$(touch pwned)]'
    : >"$GPUQ_SPOOL/journal/99999999999999999999"
    all_look
    still_works
    all_look
    [ -e precious/file ]
}

SHAPES=(empty half nul zeros large lines evil numbers text folder pipe link device)

drawn() { # of the shapes, all in full size, in quick size some
    shuf --echo --head-count="$(sized 3 99)" --random-source=<(yes "$SEED") -- "${SHAPES[@]}"
    SEED+=x
}

garbage() { # SHAPE FILE
    rm -rf "$2"
    case $1 in
        empty) : >"$2" ;;
        half) printf 'stat' >"$2" ;;
        nul) printf 'state\0waiting\0\n\0' >"$2" ;;
        zeros) head -c 100000 /dev/zero >"$2" ;;
        large) head -c 30000000 /dev/zero | tr '\0' x >"$2" ;;
        lines) yes 'state waiting' | head -n 1000000 >"$2" ;;
        evil)
            printf "%s $EVIL\n" seq outcome queued_at started_at ended_at exit_code gpus priority submitted_at time_limit \
                boot "supervisor $EVIL" "contained $EVIL" "$EVIL" >"$2"
            echo 'state ended' >>"$2"
            ;;
        numbers)
            printf '%s\n' 'seq 99999999999999999999' 'state ended' 'outcome exited' 'queued_at -5' 'started_at 08' \
                'ended_at 9223372036854775807' 'exit_code 1e9' 'gpus 0' 'priority 1000000' 'submitted_at -1' 'time_limit 00' 'supervisor 0 0' 'contained -1 -1' >"$2"
            ;;
        text) printf '%s %s %s\n' "$EVIL" "$EVIL" "$EVIL" >"$2" ;;
        folder) mkdir -p "$2/x" ;;
        pipe) mkfifo "$2" ;;
        link) ln -s "$2" "$2" ;;
        device) ln -s /dev/zero "$2" ;;
    esac
}

@test "records from hell: no file of a job, as it may be found, makes a verb wait, fail or run what it says" {
    printf '# GPUQ_TEST_SEED=%s\n' "$SEED" >&3
    still_works
    local file
    for file in status job begun verdict life owner .new/status; do
        for SHAPE in $(drawn); do
            SHAPE+=" $file"
            waiting_job
            garbage "${SHAPE% *}" "$home/$file"
            sane status "$id"
            sane log "$id"
            all_look
            send 1 0 cancel "$id" 1 | timeout 20 gpuq serve | sed 1d | grep -qE '^1 (0|75) '
            rm -rf "$home"
            gpuq resume
            gpuq recover
            still_works
        done
    done
}

@test "records from hell: nor does a file of the spool, a tombstone, a slot, a ticket, a journal" {
    printf '# GPUQ_TEST_SEED=%s\n' "$SEED" >&3
    still_works
    local file
    for file in machine epoch drain reserve lock spool.new machine.new slots/slot0 "jobs/$ID.1" "released/$ID.1" "purged/$ID.1" \
        "queue/00001763400000123456.$ID.1" "journal/$(ls "$GPUQ_SPOOL/journal")"; do
        for SHAPE in $(drawn); do
            SHAPE+=" $file"
            cp -a "$GPUQ_SPOOL" kept
            garbage "${SHAPE% *}" "$GPUQ_SPOOL/$file"
            all_look
            sane status "$ID"
            sane resume
            rm -rf "$GPUQ_SPOOL"
            mv kept "$GPUQ_SPOOL"
        done
    done
    still_works
}

@test "a pipe in the place of a job's life makes nobody wait who looks, and the job ends as it did" {
    script job.sh 'mkfifo ../pipe && mv -f ../pipe ../life && touch "$OLDPWD/there"; read -r -t 2 <> <(:); exit 5'
    id=$(gpuq submit --script job.sh --env "OLDPWD=$PWD")
    until_true [ -e there ]
    run -0 timeout 5 gpuq queue
    run -0 timeout 5 gpuq recover
    run -5 timeout 20 gpuq wait "$id"
    is_idle
}

@test "a job that turns on its own home ends all the same, as it did, and gives its slot back" {
    gpuq info >/dev/null
    local deed
    for deed in 'rm -rf ..' 'rm -rf "$PWD/.."' 'rm -rf ../.new' 'mv .. ../../elsewhere' 'chmod 0 .. ../*' \
        'truncate -s 0 ../*' 'rm ../verdict ../job ../begun' 'rm ../status; mkdir -p ../status/x' 'mkdir ../verdict' 'mkfifo ../.new/status ../verdict' 'mkfifo ../pipe; mv -f ../pipe ../life' \
        'rm ../stdout ../stderr; mkfifo ../stdout ../stderr' 'ln -s "$OLDPWD/precious" ../.new/status' 'mkdir results.jsonl' 'rm -rf ../work' \
        'echo "state ended" >../status' 'kill -KILL -1' 'rm ../slot* ../../../slots/* ../../../lock' 'exec >&- 2>&-'; do
        script job.sh "$deed; exit 5"
        echo precious >precious
        id=$(gpuq submit --script job.sh --env "OLDPWD=$PWD")
        run timeout 20 gpuq wait "$id"
        [ "$status" -eq 5 ] || {
            printf '%s: %d\n' "$deed" "$status"
            false
        }
        is_idle
        gpuq status --json "$id" | jq -e '.state == "ended" and .exit_code == 5' >/dev/null
        [ "$(cat precious)" = precious ]
    done
}

@test "a disk that cannot be written any more: who looks is told what there is, who wants something 75" {
    small_disk 4096
    still_works
    waiting_job
    mount -o remount,ro "$GPUQ_SPOOL"
    local look
    for look in info queue list "status $id" 'list --json' doctor; do
        # shellcheck disable=SC2086 # a verb and its words
        sane $look
        [ -s out ]
    done
    gpuq doctor | grep -qE '^spool +fail '
    for look in submit\ --script\ job.sh "cancel $id" "withdraw $id" resume drain recover dispatch purge "release $id"; do
        # shellcheck disable=SC2086 # as above
        sane $look
    done
    run gpuq submit --script job.sh
    [ "$status" -eq 75 ]
    run gpuq cancel "$id"
    [ "$status" -eq 75 ]
    mount -o remount,rw "$GPUQ_SPOOL"
    gpuq resume
    gpuq wait "$id"
}

@test "a disk without an inode left: a submit is 75 and leaves nothing, what runs ends" {
    small_disk 4096 120
    script job.sh "until [ -e $PWD/go ]; do sleep 0.02; done; exit 3"
    id=$(gpuq submit --script job.sh)
    until_true state_is "$id" running
    local -i n=0
    while : >"$GPUQ_SPOOL/filler$n"; do n+=1; done 2>/dev/null
    sane submit --script job.sh
    run gpuq submit --script job.sh
    [ "$status" -eq 75 ]
    sane queue
    touch go
    run timeout 20 gpuq wait "$id"
    [ "$status" -eq 3 ]
    rm "$GPUQ_SPOOL"/filler*
    is_idle
    still_works
}

@test "where it is called from does not matter: a folder that is gone, no HOME, no TMPDIR, CDPATH, closed descriptors" {
    script job.sh 'echo works'
    file=$PWD/job.sh
    mkdir gone
    {
        (cd gone && rmdir ../gone && gpuq submit --script "$file")
        env -i GPUQ_CONF="$GPUQ_CONF" GPUQ_SPOOL="$GPUQ_SPOOL" "$NODE_SCRIPTS/bin/gpuq" submit --script "$file"
        HOME=/nowhere TMPDIR=/nowhere gpuq submit --script "$file"
        (cd "$NODE_SCRIPTS" && CDPATH=/:/usr:$BATS_TEST_TMPDIR bin/gpuq submit --script "$file")
        (cd "$NODE_SCRIPTS/bin" && CDPATH=/:/usr bash gpuq submit --script "$file")
        gpuq submit --script "$file" <&- 2>&-
        POSIXLY_CORRECT=1 IFS=0 LC_ALL=C.UTF-8 gpuq submit --script "$file"
    } >ids
    [ "$(sort -u ids | wc -l)" -eq 7 ]
    while read -r id; do
        gpuq wait "$id"
        [ "$(gpuq log "$id")" = works ]
    done <ids
}

@test "an id that cannot be printed is no acknowledgement" {
    script job.sh ':'
    run gpuq submit --script job.sh >/dev/full
    run bash -c 'gpuq submit --script job.sh >/dev/full'
    [ "$status" -eq 75 ]
    run bash -c 'gpuq submit --script job.sh >&-'
    [ "$status" -eq 75 ]
}

@test "moments from the future and from the past disturb neither the order nor a purge" {
    waiting_job
    sed -i 's/^queued_at .*/queued_at 9000000000000000/' "$home/status"
    all_look
    sed -i 's/^queued_at .*/queued_at 1/' "$home/status"
    all_look
    gpuq resume
    gpuq wait "$id"
    sed -i 's/^ended_at .*/ended_at 9000000000000000/' "$home/status"
    all_look
    gpuq purge --older-than 1s
    [ -d "$home" ]
    sed -i 's/^ended_at .*/ended_at 1/' "$home/status"
    gpuq purge
    [ ! -d "$home" ]
    touch "$GPUQ_SPOOL/journal/9000000000000000"
    all_look
    still_works
}

@test "a spool with any name" {
    local name
    for name in 'a b' $'new\nline' '$(touch pwned)' "it's" '-rf' '%s' 'ü' '*' 'a:b' 'a,b'; do
        export GPUQ_SPOOL=$BATS_TEST_TMPDIR/spools/$name
        still_works
        send 1 0 list | gpuq serve | grep -q '^1 0 '
    done
    [ ! -e pwned ]
}
