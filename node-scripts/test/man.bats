#!/usr/bin/env bats
# The manual pages say what the scripts do, no more and no less.
load fixture

rendered() { # PAGE: as text, without tricks
    MANWIDTH=100 mandoc -T utf8 "$NODE_SCRIPTS/man/$1" | col -bx
}

@test "the pages are well-formed and fit 80 columns" {
    run mandoc -T lint -W warning "$NODE_SCRIPTS"/man/*
    echo "$output"
    [ -z "$output" ]
    for page in "$NODE_SCRIPTS"/man/*; do
        [ "$(mandoc -T utf8 -O width=80 "$page" | col -bx | LC_ALL=C.UTF-8 wc -L)" -le 80 ]
    done
}

@test "gpuq.1 has every verb and every option, and none that there is not" {
    rendered gpuq.1 >page
    grep -ohE -- '--[a-z][a-z-]+' page | sort -u >told
    for file in "$NODE_SCRIPTS"/libexec/gpuq-*; do
        verb=${file##*/gpuq-}
        grep -qw "$verb" page
        gpuq complete -- "$verb" -- >>all
    done
    grep -E '^--' all | grep -vx -- --help | sort -u >taken
    diff told taken
}

@test "gpuq.conf.5 has every setting, with its default" {
    rendered gpuq.conf.5 >page
    unit 'for name in "${!CONFIG_DEFAULTS[@]}"; do printf "%s\t%s\n" "$name" "${CONFIG_DEFAULTS[$name]}"; done' | sort >settings
    diff <(cut -f1 settings) <(grep -ohE '^ +GPUQ_[A-Z_]+( |$)' page | tr -d ' ' | sort -u)
    while IFS=$'\t' read -r name default; do
        case $name in
            GPUQ_PATH) default="the system's folders" ;;
        esac
        if [[ $default ]]; then
            grep -qE "^ +$name \($default\)" page
        else
            run ! grep -qE "^ +$name \(" page
        fi
    done <settings
}

@test "gpuq.1 has the exit codes of docs/node-scripts.md" {
    rendered gpuq.1 >page
    diff <(sed -n '/^EXIT STATUS/,/^EXAMPLES/p' page | grep -oE '^ +[0-9]+  ' | tr -d ' ') \
        <(sed -nE 's/^\| ([0-9]+) \| .*/\1/p' "$NODE_SCRIPTS/../docs/node-scripts.md")
}
