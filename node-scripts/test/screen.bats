#!/usr/bin/env bats
load fixture

# A name from a stranger: it could clear the screen (a C1 control), turn the line round, and is no UTF-8 at its end.
hostile=$'evil\xc2\x9b2J\xe2\x80\xaetxt"\\ \xf0\x9f\x98\x80'

on_terminal() { # COLUMNS ARGUMENT…: gpuq on a terminal of that width
    TERM=${TERM_HERE-xterm} "$BATS_TEST_DIRNAME/terminal" "$1" gpuq "${@:2}" </dev/null | tr -d '\r'
}

plain() { # without colours
    sed 's/\x1b\[[0-9]*m//g'
}

# A second opinion on what a terminal shows: the width of a text before a word, line by line, and whether all may be seen.
columns_before() { # WORD…: the same number on each line of stdin that has one of the words
    python3 -c '
import sys, unicodedata
widths = set()
for line in sys.stdin.buffer.read().decode().splitlines():
    assert all(unicodedata.category(c) not in ("Cc", "Cf") for c in line), ascii(line)
    for word in sys.argv[1:]:
        if word in line:
            before = line[:line.index(word)]
            widths.add(sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before))
assert len(widths) == 1, widths' "$@"
}

blocked() { # a job runs, in ID_RUNS, until `go` is there
    script block.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    ID_RUNS=$(gpuq submit --script block.sh --env "GO=$PWD/go" "$@")
    until_true state_is "$ID_RUNS" running
}

@test "columns are straight whatever script a name is written in, and no name obeys the terminal" {
    blocked
    for name in plain 日本語日本語 $'e\u0301te\u0301' 한국어 "$hostile"; do
        gpuq submit --script block.sh --name "$(printf %b "$name")" --env "GO=$PWD/go"
    done
    gpuq queue | columns_before ' waiting ' ' running '
    gpuq list | columns_before ' waiting ' ' running '
    on_terminal 80 queue | plain | columns_before ' waiting ' ' running '
    [ "$(gpuq queue | wc -l)" -eq 7 ]
    touch go
    until_true is_idle
}

@test "on a terminal names are cut to its width, ids to what is still one; in a pipe everything is whole" {
    long=$(printf 'x%.0s' {1..200})
    blocked --name "$long"
    on_terminal 80 queue | plain >narrow
    [ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' narrow)" -le 82 ] # bytes; a … has three
    grep -q "${ID_RUNS:0:8} .*xx… " narrow
    run ! grep -q "${ID_RUNS:0:9}" narrow
    gpuq queue | grep -q "$ID_RUNS.1 .*$long "
    on_terminal 400 queue | grep -q "$ID_RUNS.1 .*$long "
    touch go
    until_true is_idle
}

@test "colours are for terminals, and not for those who want none" {
    blocked
    for verb in queue list info "status $ID_RUNS"; do
        # shellcheck disable=SC2086  # words
        {
            on_terminal 80 $verb | grep -q $'\e\\[36m'
            run ! grep -q $'\e' <(gpuq $verb)
            run ! grep -q $'\e' <(NO_COLOR=1 on_terminal 80 $verb)
            run ! grep -q $'\e' <(TERM_HERE=dumb on_terminal 80 $verb)
        }
    done
    touch go
    until_true is_idle
}

@test "JSON holds hostile names as they are, numbers as numbers, lists as lists" {
    blocked --name "$hostile"
    waiting=$(gpuq submit --script block.sh --env "GO=$PWD/go" --name '')
    printf 'stranger \xff\xc0\x80 "\\\n' >>"$(home "$waiting")/job" # as no gpuq wrote it
    for verb in queue list "status $ID_RUNS"; do
        # shellcheck disable=SC2086  # words
        gpuq $verb --json >json
        [ "$(jq -r 'if type == "array" then .[0] else . end | .name' json)" = "$hostile" ]
        jq -e 'if type == "array" then .[0] else . end | (.slots == [0]) and (.gpus == 1) and (.started_at > 1e15) and
            ([.attempt, .priority, .seq, .time_limit, .queued_at] | all(type == "number"))' json
        run ! grep -q $'[\x80-\x9f]2J\|\xe2\x80\xae' json
    done
    gpuq queue --json | jq -e '.[1] | .position == 1 and .waits_for == "slots" and (.stranger | endswith("\"\\"))'
    gpuq status --json "$waiting" | jq -e '.position == 1 and .waits_for == "slots"'
    gpuq info --json | jq -e '.slots == 1 and .free == [] and .held[0].slot == 0 and .running == 1 and .waiting == 1 and
        .competitions == ["pizza"] and .contained and .disk_free > 0 and (has("drain") | not)'
    touch go
    until_true is_idle
    [ "$(gpuq queue --json | jq -c .)" = '[]' ]
    gpuq list --json | jq -e '.[0].exit_code == 0 and .[0].stdout_size == 0'
}

@test "queue says what everybody waits for" {
    setting GPUQ_SLOTS 2
    blocked
    for gpus in 2 1; do gpuq submit --script block.sh --gpus "$gpus" --env "GO=$PWD/go" --time 90m; done
    run gpuq queue
    [[ ${lines[0]} == POS*'WAITS FOR' ]]
    [[ ${lines[1]} =~ ^-\ .*\ operator\ +block.sh\ .*\ running\ +0\ +[0-9]+s\ +7d\ +-$ ]]
    [[ ${lines[2]} =~ ^1\ .*\ waiting\ +\(2\)\ +[0-9]+s\ +1h30m\ +2\ slots,\ 1\ free$ ]]
    [[ ${lines[3]} =~ ^2\ .*\ waiting\ +\(1\)\ .*\ its\ turn$ ]]
    setting GPUQ_SLOTS 1
    [[ $(gpuq queue) == *'2 slots, there are 1'* ]]
    setting GPUQ_SLOTS 2
    gpuq drain --reason $'new fans\xc2\x9b.'
    run gpuq queue
    [[ ${lines[2]} == *' gpuq resume' && ${lines[3]} == *' gpuq resume' ]]
    [[ ${lines[4]} == *'new fans'*'Nothing starts until gpuq resume.' && $output != *$'\xc2\x9b'* ]]
    gpuq queue --json | jq -e '.[1].waits_for == "drain"'
    gpuq resume
    touch go
    until_true is_idle
}

@test "info says who holds which slot, since when the node drains and why" {
    setting GPUQ_SLOTS 2
    blocked --name tenant
    gpuq drain --reason 'new fans'
    run gpuq info
    [[ $output =~ \ \ 0\ +"$ID_RUNS.1, for "[0-9]+"s, tenant" ]]
    says '  1          free'
    says 'drain        new fans'
    [[ $output =~ \ \ since\ +$(date +%Y)- && $output =~ disk\ free\ +[0-9]+\.[0-9]\ GiB ]]
    began=$(stat -c %Y "$GPUQ_SPOOL/drain")
    gpuq info --json | jq -e ".drain == \"new fans\" and .free == [1] and .held == [{slot: 0, job: \"$ID_RUNS\", attempt: 1}] and
        (.drain_since / 1e6 | floor) == $began"
    gpuq resume
    touch go
    until_true is_idle
}

@test "list has the jobs in the order in which they came" {
    script job.sh ':'
    for ((i = 0; i < 8; i++)); do gpuq submit --script job.sh; done >ids
    until_true is_idle
    diff ids <(gpuq list | sed -n 's/\.1 .*//p')
    diff ids <(gpuq list --json | jq -r '.[].job')
}
