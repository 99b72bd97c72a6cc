# What people see: colours, tables, moments in words. Needs text.bash.
#
# Colours and cutting to the width of the screen are for terminals: what goes into a pipe or a file is whole and plain.
# shellcheck shell=bash

readonly -A SCREEN_CODES=([head]=1 [good]=32 [busy]=36 [wait]=33 [bad]=31 [dim]=2)

# What stdout is, in SCREEN_WIDTH (0: no terminal) and SCREEN_COLOURS.
screen::look() {
    SCREEN_WIDTH=0 SCREEN_COLOURS=
    [[ -t 1 ]] || return 0
    [[ ${NO_COLOR:-} || ${TERM:-dumb} == dumb ]] || SCREEN_COLOURS=yes
    local screen
    exec {screen}<&1
    SCREEN_WIDTH=$(stty size <&"$screen" 2>/dev/null) || SCREEN_WIDTH=
    exec {screen}<&-
    SCREEN_WIDTH=${SCREEN_WIDTH#* }
    [[ $SCREEN_WIDTH =~ ^[1-9][0-9]{0,4}$ ]] || SCREEN_WIDTH=80
}

screen::paint() { # COLOUR TEXT: in REPLY
    REPLY=$2
    [[ ! $SCREEN_COLOURS || ! $1 || ! $2 ]] || REPLY=$'\e['${SCREEN_CODES[$1]}m$2$'\e[0m'
}

screen::state() { # STATE OUTCOME EXIT_CODE: the colour of where a job stands, in REPLY
    case $1:${2:-}:${3:-} in
        waiting:*) REPLY='wait' ;;
        starting:* | running:*) REPLY=busy ;;
        ended:exited:0) REPLY=good ;;
        ended:cancelled:* | ended:withdrawn:*) REPLY=dim ;;
        *) REPLY=bad ;;
    esac
}

screen::moment() { # MICROSECONDS: in words, in REPLY
    REPLY=-
    [[ ! ${1:-} =~ ^[0-9]{1,18}$ ]] || printf -v REPLY '%(%Y-%m-%d %H:%M:%S)T' "$((10#$1 / 1000000))"
}

screen::span() { # SECONDS: in words, as words::seconds reads them, in REPLY
    local -ri s=$(($1 > 0 ? $1 : 0))
    if ((s < 60)); then
        REPLY="${s}s"
    elif ((s < 3600)); then
        REPLY="$((s / 60))m$((s % 60))s"
    elif ((s < 86400)); then
        REPLY="$((s / 3600))h$((s % 3600 / 60))m"
    else
        REPLY="$((s / 86400))d$((s % 86400 / 3600))h"
    fi
    while [[ $REPLY =~ ^(.*[a-z])0[a-z]$ ]]; do REPLY=${BASH_REMATCH[1]}; done # 10m, not 10m0s
}

# A table: a heading, then rows of as many cells. Where the screen is too narrow `NAME:8` may be cut down to 8 columns, with
# a …; `JOB/8` is cut to 8 at once, because what is left of an id is still one.
screen::table() { # HEADING…
    local heading
    SCREEN_COLUMNS=$# SCREEN_CELLS=() SCREEN_TAKES=() SCREEN_TINTS=() SCREEN_LEAST=() SCREEN_AT_ONCE=()
    for heading; do
        [[ $heading =~ ^([^:/]+)([:/]?)([0-9]*)$ ]]
        SCREEN_LEAST+=("${BASH_REMATCH[3]}")
        SCREEN_AT_ONCE+=("${BASH_REMATCH[2]#:}")
        SCREEN_CELLS+=("${BASH_REMATCH[1]}")
        SCREEN_TAKES+=("${#BASH_REMATCH[1]}")
    done
}

screen::row() { # CELL…
    local cell
    for cell; do
        text::fit "$cell"
        SCREEN_CELLS+=("$REPLY")
        SCREEN_TAKES+=("$TEXT_COLUMNS")
    done
}

screen::tint() { # COLUMN COLOUR: of the last row's cell
    SCREEN_TINTS[${#SCREEN_CELLS[@]} - SCREEN_COLUMNS + $1]=$2
}

screen::print() {
    local line=
    local -i i column takes gap=0
    local -a widths=() said=()
    for i in "${!SCREEN_CELLS[@]}"; do
        column=$((i % SCREEN_COLUMNS))
        ((SCREEN_TAKES[i] <= ${widths[column]:-0})) || widths[column]=${SCREEN_TAKES[i]}
        ((i < SCREEN_COLUMNS)) || [[ ${SCREEN_CELLS[i]} == - ]] || said[column]=yes
    done
    ((SCREEN_WIDTH == 0)) || screen::squeeze
    for ((i = 0; i < SCREEN_COLUMNS; i++)); do
        SCREEN_TINTS[i]='head'
    done
    for i in "${!SCREEN_CELLS[@]}"; do
        column=$((i % SCREEN_COLUMNS)) takes=${SCREEN_TAKES[i]} REPLY=${SCREEN_CELLS[i]}
        if ((widths[column] > 0)); then
            ((takes <= widths[column])) || screen::cut "${widths[column]}"
            screen::paint "${SCREEN_TINTS[i]:-}" "$REPLY"
            printf -v line '%s%*s%s' "$line" "$gap" '' "$REPLY"
            gap=$((widths[column] - takes + 2))
        fi
        if ((column + 1 == SCREEN_COLUMNS)); then
            printf '%s\n' "$line"
            line='' gap=0
        fi
    done
}

screen::cut() { # COLUMNS: a cell of print's
    takes=$1
    if [[ ${SCREEN_AT_ONCE[column]} ]]; then
        REPLY=${REPLY:0:takes}
    else
        text::fit "$REPLY" "$takes"
        takes=$TEXT_COLUMNS
    fi
}

# Print's widths into SCREEN_WIDTH: first ids are cut, then columns go that say nothing, then the widest give way in turn.
screen::squeeze() {
    local -i over=$((2 * (SCREEN_COLUMNS - 1) - SCREEN_WIDTH)) i widest
    for i in "${!widths[@]}"; do
        over=$((over + widths[i]))
    done
    for i in "${!widths[@]}"; do
        if [[ ${SCREEN_AT_ONCE[i]} ]] && ((over > 0 && widths[i] > SCREEN_LEAST[i])); then
            over+=$((SCREEN_LEAST[i] - widths[i])) widths[i]=${SCREEN_LEAST[i]}
        fi
    done
    for i in "${!widths[@]}"; do
        if [[ ! ${said[i]:-} ]] && ((over > 0)); then
            over+=$((-widths[i] - 2)) widths[i]=0
        fi
    done
    for (( ; over > 0; over--)); do
        widest=-1
        for i in "${!widths[@]}"; do
            [[ ${SCREEN_LEAST[i]} ]] && ((widths[i] > SCREEN_LEAST[i])) || continue
            ((widest >= 0 && widths[i] <= widths[widest])) || widest=i
        done
        ((widest >= 0)) || return 0
        widths[widest]=$((widths[widest] - 1))
    done
}
