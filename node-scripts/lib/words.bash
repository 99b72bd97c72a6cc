# Words for people: help, complaints, tables, JSON. Data goes to stdout, everything else to stderr.
# shellcheck shell=bash

words::fail() { # CODE SENTENCE: say it and end
    printf 'gpuq%s: %s\n' "${GPUQ_VERB:+ $GPUQ_VERB}" "$2" >&2
    exit "$1"
}

words::misuse() { # SENTENCE: the command line is wrong
    words::fail 64 "$1; see 'gpuq $GPUQ_VERB --help'"
}

words::none() { # ARGUMENT…: the verb takes none
    (($# == 0)) || words::misuse "unexpected argument '$1'"
}

words::value() { # OPTION ARGUMENT…: what follows an option, in REPLY
    (($# >= 2)) || words::misuse "$1 needs a value"
    REPLY=$2
}

words::help() { # VERB: the header comment of its file
    local line started=
    while IFS= read -r line; do
        [[ $line == '#'* ]] || break
        [[ $line != '# Usage:'* ]] || started=yes
        [[ $started && $line != '# shellcheck'* ]] || continue
        line=${line#'#'}
        printf '%s\n' "${line#' '}"
    done <"$GPUQ_ROOT/libexec/gpuq-$1"
}

words::summary() { # VERB: its one line, in REPLY
    local line
    REPLY=
    while IFS= read -r line && [[ $line == '#'* ]]; do
        [[ $line != '# Summary: '* ]] || REPLY=${line#'# Summary: '}
    done <"$GPUQ_ROOT/libexec/gpuq-$1"
}

words::moment() { # MICROSECONDS: in words, in REPLY
    REPLY=-
    [[ ! ${1:-} ]] || printf -v REPLY '%(%Y-%m-%d %H:%M:%S)T' "$(($1 / 1000000))"
}

words::span() { # SECONDS: in words, in REPLY
    local -ri s=$1
    if ((s < 60)); then
        REPLY="${s}s"
    elif ((s < 3600)); then
        REPLY="$((s / 60))m$((s % 60))s"
    elif ((s < 86400)); then
        REPLY="$((s / 3600))h$((s % 3600 / 60))m"
    else
        REPLY="$((s / 86400))d$((s % 86400 / 3600))h"
    fi
}

# A table: rows of cells separated by tabs are collected and printed aligned; the first is the heading.
words::row() { # CELL…
    local IFS=$'\t'
    WORDS_ROWS+=("$*")
}

words::table() {
    local -a cells widths=()
    local row cell format
    local -i column
    for row in "${WORDS_ROWS[@]}"; do
        IFS=$'\t' read -r -a cells <<<"$row"
        for column in "${!cells[@]}"; do
            ((${#cells[column]} <= ${widths[column]:-0})) || widths[column]=${#cells[column]}
        done
    done
    for row in "${WORDS_ROWS[@]}"; do
        IFS=$'\t' read -r -a cells <<<"$row"
        format=
        for column in "${!cells[@]}"; do
            cell=${cells[column]}
            if ((column + 1 < ${#cells[@]})); then
                printf -v cell '%-*s  ' "${widths[column]}" "$cell"
            fi
            format+=$cell
        done
        printf '%s\n' "$format"
    done
    WORDS_ROWS=()
}
WORDS_ROWS=()

words::quote() { # TEXT: as a JSON string, in REPLY. Records hold no control characters.
    REPLY=${1//\\/\\\\}
    REPLY=\"${REPLY//\"/\\\"}\"
}

words::json() { # a record on stdin becomes one JSON object in REPLY, a repeated key an array
    local line key value members='' separator=''
    local -A lists=()
    while IFS= read -r line && [[ $line ]]; do
        key=${line%% *} value=${line#* }
        case $key in
            attempt | gpus | priority | seq | exit_code | running | waiting | expected_time | time_limit | protocol | *_at | *_size | time)
                REPLY=$value
                ;;
            slots)
                if [[ $GPUQ_VERB == info ]]; then REPLY=$value; else REPLY="[$value]"; fi
                ;;
            *) words::quote "$value" ;;
        esac
        if [[ $key == competition && $GPUQ_VERB == info ]]; then
            lists[competitions]+=${lists[competitions]:+, }$REPLY
        else
            members+=$separator\"$key\":\ $REPLY separator=', '
        fi
    done
    for key in "${!lists[@]}"; do
        members+="$separator\"$key\": [${lists[$key]}]" separator=', '
    done
    REPLY="{$members}"
}
