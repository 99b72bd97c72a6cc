#!/usr/bin/env bats
# shellcheck disable=SC2016 # hostile names are in single quotes
load fixture

# What a TAB at the end of the words offers; `<file>` where bash itself completes names of files.
offered() { # WORD…
    bash -c 'compopt() { [[ $* == "-o default" ]] && COMPREPLY=("<file>"); }
        source "$0/completions/gpuq"
        COMP_WORDS=(gpuq "$@") COMP_CWORD=$#
        _gpuq gpuq
        printf "%s\n" "${COMPREPLY[@]}"' "$NODE_SCRIPTS" "$@"
}


held() { # a job that runs, one that waits, one that has ended: in RUNS, WAITS, ENDED
    script job.sh ':'
    ENDED=$(gpuq submit --script job.sh)
    gpuq wait "$ENDED"
    script block.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    RUNS=$(gpuq submit --script block.sh --env "GO=$PWD/go")
    until_true state_is "$RUNS" running
    WAITS=$(gpuq submit --script block.sh --env "GO=$PWD/go")
}

@test "verbs for people are offered, those for machines are not" {
    run offered ''
    says submit
    says doctor
    run ! says supervise
    [ "$(offered wi)" = withdraw ]
    [ "$(offered help wi)" = withdraw ]
    run offered nonsense ''
    [ -z "$output" ]
}

@test "the options of every verb are those that it takes, and its help tells each" {
    for file in "$NODE_SCRIPTS"/libexec/gpuq-*; do
        verb=${file##*/gpuq-}
        for option in $(offered "$verb" --); do
            gpuq "$verb" --help | grep -qE -- "(^|[^a-z-])$option([^a-z-]|$)" || [ "$option" = --help ] || {
                echo "$verb does not tell $option"
                return 1
            }
        done
        for option in $(gpuq "$verb" --help | grep -oE -- '(^|[^a-z-])--[a-z][a-z-]+' | grep -oE -- '--.*'); do
            offered "$verb" "$option" | grep -qx -- "$option" || {
                echo "$verb tells $option and does not take it"
                return 1
            }
        done
    done
}

@test "jobs are offered where they make sense" {
    held
    [ "$(offered cancel '' | sort)" = "$(printf '%s\n' "$RUNS" "$WAITS" | sort)" ]
    [ "$(offered withdraw '')" = "$WAITS" ]
    [ "$(offered release '')" = "$ENDED" ]
    [ "$(offered status '' | wc -l)" -eq 3 ]
    [ "$(offered log --follow '' | wc -l)" -eq 3 ]
    [ "$(offered log -n 5 "${RUNS:0:8}")" = "$RUNS" ]
    [ "$(offered fetch "$ENDED" '')" = $'results\nstdout\nstderr' ]
    [ -z "$(offered fetch "$ENDED" results '')" ]
    touch go
    until_true is_idle
}

@test "values are offered where they are known, names of files where they are meant" {
    [ "$(offered submit solution.py --competition '')" = pizza ]
    [ "$(offered submit --competition = p)" = pizza ]
    [ "$(SOME_VARIABLE=x offered submit --script job.sh --env SOME_V)" = SOME_VARIABLE ]
    [ "$(offered submit '')" = '<file>' ]
    [ "$(offered submit --script '')" = '<file>' ]
    [ "$(offered submit --script = job)" = '<file>' ]
    [ "$(offered submit --script job.sh -- -)" = '<file>' ]
    [ -z "$(offered drain --reason '')" ]
}

@test "completing makes no spool, heals nothing, runs nothing and says nothing" {
    for file in "$NODE_SCRIPTS"/libexec/gpuq-*; do
        for words in '' '-' 'x' '--time=' '--env A --'; do
            # shellcheck disable=SC2086  # words
            run --separate-stderr offered "${file##*/gpuq-}" $words
            [ -z "$stderr" ]
        done
    done
    [ ! -e "$GPUQ_SPOOL" ]
    offered submit --env 'x$(touch pwned)' '$(touch pwned)' '`touch pwned`'
    printf 'GPUQ_SLOTS=0\n' >"$GPUQ_CONF"
    run offered cancel ''
    [ -z "$output" ]
    [ ! -e pwned ]
}

@test "foreign names in the spool are not offered and not run" {
    gpuq info >/dev/null
    (cd "$GPUQ_SPOOL" && touch -- jobs/'$(touch pwned)' jobs/-rf jobs/$'a\nb' 'queue/1.x y')
    mkdir -p "$BATS_TEST_TMPDIR/data/"'$(touch pwned)'/prepared/public
    mkfifo "$GPUQ_SPOOL/slots/slot9"
    run offered status ''
    [ -z "$output" ]
    [ "$(offered submit --competition '')" = pizza ]
    [ ! -e pwned ]
}

@test "on a terminal a TAB completes verbs, options and files with blanks in their names" {
    touch 'a script $x.sh'
    {
        printf '%s\n' 'PS1=; unset HISTFILE; bind "set enable-bracketed-paste off"' "source '$NODE_SCRIPTS/completions/gpuq'" \
            'gpuq() { [[ $1 == complete ]] && command gpuq "$@" || printf "ran <%s>\n" "$@" >>ran; }'
        printf 'gpuq subm\t--scr\ta\\ sc\t\n'
        printf 'gpuq submit --script=a\\ sc\t\n'
        printf 'gpuq pur\t--dr\t\n'
        printf 'exit\n'
    } | "$BATS_TEST_DIRNAME/terminal" 200 bash --norc --noprofile -i
    printf 'ran <%s>\n' submit --script 'a script $x.sh' submit '--script=a script $x.sh' purge --dry-run | diff - ran
}
