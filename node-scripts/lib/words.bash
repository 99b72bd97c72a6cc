# The words of the command line: what is asked, and what is wrong with it. Data goes to stdout, everything else to stderr.
# What only people see (help, tables, JSON) has libraries of its own, which only the verbs load that show it.
# shellcheck shell=bash

words::fail() { # CODE SENTENCE: say it and end
    words::say "$2"
    exit "$1"
}

words::say() { # SENTENCE: on stderr, as one line that no terminal obeys
    gpuq::use text
    text::fit "$1"
    printf 'gpuq%s: %s\n' "${GPUQ_VERB:+ $GPUQ_VERB}" "$REPLY" >&2
}

words::misuse() { # SENTENCE: the command line is wrong, or whatever WORDS_WHERE says
    words::fail 64 "$WORDS_WHERE$1; see 'gpuq $GPUQ_VERB --help'"
}
WORDS_WHERE=

# The command line of a verb. SPEC names its options: `json` stands alone, `time=` takes a value, `env+` takes one each time
# that it is given, `follow|f` has a letter, too. Options and arguments come in any order, `--time=5` is `--time 5`, and what
# follows a -- is no option. Sets OPTION (name -> value), REPEATED (the values of a `+`), ARGUMENTS (before a --) and REST.
words::parse() { # SPEC ARGUMENT…
    local -r spec=" $1 "
    local word kind
    declare -gA OPTION=()
    declare -ga REPEATED=() ARGUMENTS=() REST=()
    shift
    while (($# > 0)); do
        word=$1
        shift
        case $word in
            -h | --help)
                [[ ! $WORDS_WHERE ]] || words::misuse "$word is not for here"
                gpuq::use help
                help::verb "$GPUQ_VERB"
                exit
                ;;
            --)
                REST=("$@")
                return
                ;;
            --*)
                words::known "${word%%=*}"
                if [[ $kind && $word == *=* ]]; then
                    words::keep "$REPLY" "${word#*=}"
                elif [[ $kind ]]; then
                    (($# > 0)) || words::misuse "$word needs a value"
                    words::keep "$REPLY" "$1"
                    shift
                else
                    [[ $word != *=* ]] || words::misuse "--$REPLY takes no value"
                    words::keep "$REPLY" yes
                fi
                ;;
            -?*) # letters in a row are options, and what follows one that takes a value is its value
                words::known "${word:0:2}"
                if [[ $kind ]]; then
                    set -- "--$REPLY${word:2:1}" "$@"
                    [[ ${#word} == 2 ]] || set -- "${1%?}=${word:2}" "${@:2}"
                else
                    words::keep "$REPLY" yes
                    [[ ${#word} == 2 ]] || set -- "-${word:2}" "$@"
                fi
                ;;
            *) ARGUMENTS+=("$word") ;;
        esac
    done
}

words::known() { # OPTION: its name in REPLY, what it takes in `kind`
    local pattern
    case $1 in
        --*[!a-z-]* | -[!a-z-]) words::misuse "there is no option $1" ;;
        --*) pattern=" (${1#--})(\|[a-z])?([=+]?) " ;;
        *) pattern=" ([a-z-]+)(\|${1#-})([=+]?) " ;;
    esac
    [[ $spec =~ $pattern ]] || words::misuse "there is no option $1"
    REPLY=${BASH_REMATCH[1]}
    kind=${BASH_REMATCH[3]}
}

words::keep() { # NAME VALUE
    if [[ $kind == + ]]; then REPEATED+=("$2"); else OPTION[$1]=$2; fi
}

words::options() { # SPEC ARGUMENT…: as words::parse, where no arguments are taken
    words::parse "$@"
    ARGUMENTS+=("${REST[@]}")
    ((${#ARGUMENTS[@]} == 0)) || words::misuse "unexpected argument '${ARGUMENTS[0]}'"
}

words::none() { # ARGUMENT…: neither options nor arguments
    words::options '' "$@"
}

words::jobs() { # SPEC ARGUMENT…: as words::parse, where the arguments are one job or more, in ARGUMENTS
    words::parse "$@"
    ARGUMENTS+=("${REST[@]}")
    ((${#ARGUMENTS[@]} > 0)) || words::misuse 'name a job'
}

words::job() { # SPEC ARGUMENT…: the same for just one
    words::jobs "$@"
    ((${#ARGUMENTS[@]} == 1)) || words::misuse "one job at a time, '${ARGUMENTS[1]}' is too much"
}

words::seconds() { # DURATION: `90`, `10m`, `1h30m`, `2d`, `12:00:00` or `1-12:00:00`, in REPLY; fails when it is none of these
    local -r number='^()()()([0-9]{1,9})$'
    local -r letters='^(([0-9]{1,4})d)?(([0-9]{1,5})h)?(([0-9]{1,7})m)?(([0-9]{1,9})s)?$'
    local -r clock='^(([0-9]{1,4})-)?([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])$'
    if [[ $1 =~ $number || $1 =~ $clock ]]; then
        set -- "${BASH_REMATCH[-4]}" "${BASH_REMATCH[-3]}" "${BASH_REMATCH[-2]}" "${BASH_REMATCH[-1]}"
    elif [[ $1 && $1 =~ $letters ]]; then
        set -- "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]}" "${BASH_REMATCH[6]}" "${BASH_REMATCH[8]}"
    else
        return 1
    fi
    REPLY=$((10#0$1 * 86400 + 10#0$2 * 3600 + 10#0$3 * 60 + 10#0$4))
}
