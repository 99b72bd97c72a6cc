# Sourced first by quickstart, test and bench: strict mode, and how they speak.
# Results go to stdout, complaints to stderr. ROOT is the checkout.

set -euo pipefail
shopt -s inherit_errexit nullglob
umask 077
export LC_ALL=C.UTF-8

ROOT=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
readonly ROOT

# say WORD TEXT…: one line of progress; the word says what happened.
say() {
    local -r word=$1
    shift
    printf '%-10s %s\n' "$word" "$*"
}

# die TEXT…: one sentence, and the end.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# usage: the header comment of the script is its help text.
usage() {
    sed -n '2,/^$/ { s/^# \{0,1\}//p }' "$0"
}

# die_usage TEXT…: a wrong call; says how to get it right.
die_usage() {
    printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "$0" >&2
    exit 64
}

# need COMMAND…: all of them are installed, or one sentence names those that are not.
need() {
    local command
    local -a missing=()
    for command in "$@"; do
        type -P "$command" >/dev/null || missing+=("$command")
    done
    ((${#missing[@]} == 0)) || die "please install ${missing[*]}: not found in PATH."
}

# claim FILE: creates FILE and its folder if need be; fails, without a word, where one may not write.
claim() {
    mkdir -p -- "${1%/*}" 2>/dev/null && { : >>"$1"; } 2>/dev/null
}

# seconds_since MICROSECONDS: what has passed, as "1.4 s".
seconds_since() {
    local -r tenths=$(((${EPOCHREALTIME/./} - $1) / 100000))
    printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}
