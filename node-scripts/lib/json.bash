# Records as JSON, for `--json`. Needs text.bash.
# shellcheck shell=bash

# One JSON object of a record, in REPLY: numbers as numbers, lists of numbers as arrays, everything else as strings.
json::object() { # RECORD [KEY JSON]…: with further members
    local line key value members=
    while IFS= read -r line && [[ $line ]]; do
        key=${line%% *} value=${line#* }
        [[ $key =~ ^[a-z_][a-z0-9_]*$ ]] || continue
        json::value
        members+=", \"$key\": $REPLY"
    done <<<"$1"
    for ((key = 2; key < $#; key += 2)); do
        value=$((key + 1))
        members+=", \"${!key}\": ${!value}"
    done
    REPLY="{${members#, }}"
}

json::value() { # of `key` and `value`, in REPLY
    REPLY=$value
    case $key in
        attempt | gpus | priority | seq | exit_code | expected_time | time_limit | *_at | *_size)
            [[ ! $value =~ ^(0|-?[1-9][0-9]{0,17})$ ]] || return 0
            ;;
        slots)
            REPLY=[${value//,/, }]
            [[ ! $value =~ ^(0|[1-9][0-9]{0,8})(,(0|[1-9][0-9]{0,8}))*$ ]] || return 0
            ;;
    esac
    text::quote "$value"
}

json::array() { # JSON…
    local value joined=
    for value; do
        joined+=", $value"
    done
    REPLY="[${joined#, }]"
}

json::lines() { # JSON…: an array, one to a line
    local IFS=,
    REPLY="[${*/#/$'\n '}"
    (($# == 0)) || REPLY+=$'\n'
    REPLY+=]
}
