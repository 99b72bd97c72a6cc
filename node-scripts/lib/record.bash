# Records: lines `key value`, as docs/node-protocol.md has them.
# shellcheck shell=bash

readonly RECORD_MOST=16384 RECORD_LINES=100 # bytes and lines that are read of one; ours have few

record::load() { # FILE ARRAY: fails when the file is not there, or is none
    local -n record_into=$2
    local record_line
    local -i record_lines=0
    record_into=()
    [[ -f $1 ]] && {
        while IFS= read -r -n 4096 record_line && [[ $record_line ]] && ((++record_lines <= RECORD_LINES)); do
            [[ $record_line == ' '* ]] || record_into[${record_line%% *}]=${record_line#* }
        done <"$1"
    } 2>/dev/null
}

record::numbers() { # ARRAY KEY…: what is to be counted with is a number, or is not there; bash would run what is not
    local -n record_in=$1
    local record_key
    for record_key in "${@:2}"; do
        [[ ${record_in[$record_key]:-0} =~ ^(0|-?[1-9][0-9]{0,17})$ ]] || unset "record_in[$record_key]"
    done
}

record::text() { # FILE: as it lies there, in REPLY; fails when it is not there
    REPLY=
    [[ -f $1 ]] && { IFS= read -r -d '' -n "$RECORD_MOST" REPLY <"$1"; } 2>/dev/null || [[ $REPLY ]]
}

record::print() { # ARRAY KEY…: the lines of these keys, as far as they are known; fails when they cannot be written whole
    local -n record_from=$1
    local record_key record_lines=
    for record_key in "${@:2}"; do
        [[ ! ${record_from[$record_key]:-} ]] || record_lines+="$record_key ${record_from[$record_key]}"$'\n'
    done
    printf '%s' "$record_lines"
}
