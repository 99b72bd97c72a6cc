# Help: the header comments of the verbs. A header is `Usage:` with its further lines, `Summary:`, perhaps `Group:` (jobs, node or
# machines), and what more there is to say.
# shellcheck shell=bash

# The header of a verb: HELP_USAGE and HELP_TEXT (arrays of lines), HELP_SUMMARY, HELP_GROUP.
help::header() { # VERB
    local line part=
    HELP_USAGE=() HELP_TEXT=() HELP_SUMMARY='' HELP_GROUP=node
    while IFS= read -r line && [[ $line == '#'* ]]; do
        line=${line#'#'}
        line=${line#' '}
        case $line in
            '!'* | 'shellcheck '*) ;;
            'Usage: '*) part=usage HELP_USAGE=("${line#'Usage: '}") ;;
            'Summary: '*) part=text HELP_SUMMARY=${line#'Summary: '} ;;
            'Group: '*) HELP_GROUP=${line#'Group: '} ;;
            *)
                case $part in
                    usage) HELP_USAGE+=("${line#"${line%%[! ]*}"}") ;;
                    text) HELP_TEXT+=("$line") ;;
                esac
                ;;
        esac
    done <"$GPUQ_ROOT/libexec/gpuq-$1"
}

help::verb() { # VERB
    help::header "$1"
    printf 'Usage: %s\n' "${HELP_USAGE[0]}"
    ((${#HELP_USAGE[@]} == 1)) || printf '       %s\n' "${HELP_USAGE[@]:1}"
    printf '\n%s.\n' "${HELP_SUMMARY^}"
    ((${#HELP_TEXT[@]} == 0)) || printf '%s\n' "${HELP_TEXT[@]}"
}

help::all() {
    local group file verb
    local -A lines=()
    for file in "$GPUQ_ROOT"/libexec/gpuq-*; do
        verb=${file##*/gpuq-}
        help::header "$verb"
        printf -v REPLY '  %-10s %s\n' "$verb" "$HELP_SUMMARY"
        lines[$HELP_GROUP]+=$REPLY
    done
    printf 'gpuq: the queue of one GPU host.\n'
    for group in jobs node machines; do
        printf '\n%s:\n%s' "${group^}" "${lines[$group]}"
    done
    printf "\n'gpuq VERB --help' says more. Settings: GPUQ_NAME=value lines of /etc/gpuq/gpuq.conf, or of the file that GPUQ_CONF names.\n"
}

# The verb that somebody may have meant, in REPLY: one that differs in a letter or two beside each other.
help::meant() { # WORD
    local file i
    for file in "$GPUQ_ROOT"/libexec/gpuq-*; do
        REPLY=${file##*/gpuq-}
        ((${#REPLY} <= ${#1} + 1 && ${#REPLY} >= ${#1} - 1)) || continue # or a word of a megabyte takes an hour
        for ((i = 0; i < ${#1}; i++)); do
            [[ $REPLY != "${1:0:i}"*"${1:i+2}" ]] || return 0
        done
    done
    return 1
}
