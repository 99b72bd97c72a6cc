# Records: lines `key value`, as docs/node-protocol.md has them.
# shellcheck shell=bash

record::load() { # FILE ARRAY: fails when the file is not there
    local -n record_into=$2
    local record_line
    record_into=()
    {
        while IFS= read -r record_line && [[ $record_line ]]; do
            record_into[${record_line%% *}]=${record_line#* }
        done <"$1"
    } 2>/dev/null
}

record::text() { # FILE: as it lies there, in REPLY; fails when it is not there
    REPLY=
    { IFS= read -r -d '' REPLY <"$1"; } 2>/dev/null || [[ $REPLY ]]
}

record::print() { # ARRAY KEY…: the lines of these keys, as far as they are known; fails when they cannot be written whole
    local -n record_from=$1
    local record_key record_lines=
    for record_key in "${@:2}"; do
        [[ ! ${record_from[$record_key]:-} ]] || record_lines+="$record_key ${record_from[$record_key]}"$'\n'
    done
    printf '%s' "$record_lines"
}
