# Text from strangers, on its way to a terminal or into JSON. Names are UTF-8 without ASCII control characters at best; what
# a terminal might obey or show in another order (C1 controls, direction marks, invisible ones) and what is no UTF-8 at all
# is never printed as it is. Widths are counted here, because LC_ALL=C counts bytes and another locale may not be there.
# shellcheck shell=bash

readonly TEXT_PLAIN='*[! -~]*' # a pattern of what is not
readonly TEXT_STAND_IN=$'\xef\xbf\xbd'
readonly TEXT_ELLIPSIS=$'\xe2\x80\xa6'
# First and last of each range.
readonly TEXT_INVISIBLE=(
    0x00 0x1f 0x7f 0x9f 0xad 0xad 0x61c 0x61c 0x180e 0x180e 0x200b 0x200f 0x2028 0x202e 0x2060 0x206f 0xfeff 0xfeff
    0xfff9 0xfffb 0xe0000 0xe0fff
)
readonly TEXT_COMBINING=(
    0x300 0x36f 0x483 0x489 0x591 0x5bd 0x5bf 0x5c7 0x610 0x61a 0x64b 0x65f 0x670 0x670 0x6d6 0x6dc 0x6df 0x6e4 0x6e7 0x6ed
    0x900 0x902 0x93a 0x93a 0x93c 0x93c 0x941 0x948 0x94d 0x94d 0xe31 0xe31 0xe34 0xe3a 0xe47 0xe4e 0x1ab0 0x1aff
    0x1dc0 0x1dff 0x20d0 0x20ff 0x302a 0x302d 0x3099 0x309a 0xfe00 0xfe0f 0xfe20 0xfe2f
)
readonly TEXT_WIDE=(
    0x1100 0x115f 0x231a 0x231b 0x23e9 0x23ec 0x25fd 0x25fe 0x2614 0x2615 0x26a1 0x26a1 0x2705 0x2705 0x274c 0x274c
    0x2753 0x2755 0x2795 0x2797 0x2b1b 0x2b1c 0x2b50 0x2b50 0x2e80 0x303e 0x3041 0x33ff 0x3400 0x4dbf 0x4e00 0xa4cf
    0xa960 0xa97f 0xac00 0xd7a3 0xf900 0xfaff 0xfe10 0xfe19 0xfe30 0xfe6f 0xff00 0xff60 0xffe0 0xffe6 0x16fe0 0x18cff
    0x1b000 0x1b2ff 0x1f004 0x1f004 0x1f0cf 0x1f0cf 0x1f18e 0x1f19a 0x1f200 0x1f64f 0x1f680 0x1f6ff 0x1f7e0 0x1f7eb
    0x1f900 0x1f9ff 0x1fa70 0x1faff 0x20000 0x3fffd
)

# TEXT as a person may see it, in REPLY, and how many columns that takes in TEXT_COLUMNS. With MOST it is cut to that width.
text::fit() { # TEXT [MOST]
    local -r text=$1
    local -ri most=${2:-0}
    local piece code kept=''
    local -i at columns kept_columns=0
    # shellcheck disable=SC2053  # a pattern
    if [[ $text != $TEXT_PLAIN ]]; then
        REPLY=$text TEXT_COLUMNS=${#text}
        ((most > 0 && TEXT_COLUMNS > most)) || return 0
        REPLY=${text:0:most-1}$TEXT_ELLIPSIS TEXT_COLUMNS=$most
        return
    fi
    REPLY='' TEXT_COLUMNS=0
    for ((at = 0; at < ${#text}; at += ${#piece})); do
        text::character "$at"
        text::columns "$code"
        if ((columns < 0)); then
            REPLY+=$TEXT_STAND_IN columns=1
        else
            REPLY+=$piece
        fi
        TEXT_COLUMNS=$((TEXT_COLUMNS + columns))
        if ((most > 0 && TEXT_COLUMNS > most)); then
            REPLY=$kept$TEXT_ELLIPSIS TEXT_COLUMNS=$((kept_columns + 1))
            return
        fi
        ((TEXT_COLUMNS >= most)) || kept=$REPLY kept_columns=$TEXT_COLUMNS
    done
}

# TEXT as a JSON string, in REPLY: what text::fit hides is escaped, what is no UTF-8 is replaced.
text::quote() { # TEXT
    local text=${1//\\/\\\\}
    local piece code quoted=''
    local -i at columns
    text=${text//\"/\\\"}
    # shellcheck disable=SC2053  # a pattern
    if [[ $text == $TEXT_PLAIN ]]; then
        for ((at = 0; at < ${#text}; at += ${#piece})); do
            text::character "$at"
            text::columns "$code"
            if ((code < 0)); then
                quoted+=$TEXT_STAND_IN
            elif ((columns >= 0)); then
                quoted+=$piece
            elif ((code > 0xffff)); then
                printf -v REPLY '\\u%04x\\u%04x' $((0xd7c0 + (code >> 10))) $((0xdc00 + (code & 0x3ff)))
                quoted+=$REPLY
            else
                printf -v REPLY '\\u%04x' "$code"
                quoted+=$REPLY
            fi
        done
        text=$quoted
    fi
    REPLY=\"$text\"
}

text::is_utf8() { # TEXT
    local -r text=$1
    local piece code
    local -i at
    # shellcheck disable=SC2053  # a pattern
    [[ $text == $TEXT_PLAIN ]] || return 0
    for ((at = 0; at < ${#text}; at += ${#piece})); do
        text::character "$at"
        ((code >= 0)) || return 1
    done
}

# The character of `text` at byte AT, in `piece`, and its number in `code`: -1 for a byte that begins none.
text::character() { # AT
    local -i more least byte i
    piece=${text:$1:1}
    printf -v code %d "'$piece"
    if ((code < 0x80)); then
        return
    elif ((code >= 0xc2 && code < 0xe0)); then
        more=1 least=0x80 code=$((code & 0x1f))
    elif ((code >= 0xe0 && code < 0xf0)); then
        more=2 least=0x800 code=$((code & 0x0f))
    elif ((code >= 0xf0 && code < 0xf5)); then
        more=3 least=0x10000 code=$((code & 0x07))
    else
        code=-1
        return
    fi
    for ((i = 1; i <= more; i++)); do
        printf -v byte %d "'${text:$1+i:1}"
        if (((byte & 0xc0) != 0x80)); then
            code=-1
            return
        fi
        code=$((code << 6 | byte & 0x3f))
    done
    if ((code < least || code > 0x10ffff || code >= 0xd800 && code < 0xe000)); then
        code=-1
    else
        piece=${text:$1:more+1}
    fi
}

text::columns() { # CODE: how many it takes, in `columns`; -1: it is not to be seen
    if (($1 < 0)) || text::among "$1" "${TEXT_INVISIBLE[@]}"; then
        columns=-1
    elif (($1 < 0x300)); then
        columns=1
    elif text::among "$1" "${TEXT_COMBINING[@]}"; then
        columns=0
    elif text::among "$1" "${TEXT_WIDE[@]}"; then
        columns=2
    else
        columns=1
    fi
}

text::among() { # CODE FIRST LAST…
    local -ri code=$1
    shift
    while (($# > 0)); do
        ((code < $1 || code > $2)) || return 0
        shift 2
    done
    return 1
}
