# The site's settings: GPUQ_NAME=value lines of $GPUQ_CONF (/etc/gpuq/gpuq.conf). They are read, not run: a value is
# everything behind the first =, as it stands. The environment wins over the file. All faults are told at once.
# shellcheck shell=bash

readonly -A CONFIG_DEFAULTS=(
    [GPUQ_SPOOL]=/var/spool/gpuq            # where the queue lies
    [GPUQ_SLOTS]=''                         # slots of this node; empty: one for each GPU, one if there is none
    [GPUQ_TEMPLATE]=''                      # launch template of graded jobs; empty: they are refused
    [GPUQ_TEMPLATES]=''                     # folder of the launch bodies; empty: templates/launch beside node-scripts
    [GPUQ_DATA_DIR]=''                      # MLE-bench's layout: <dir>/<competition>/prepared
    [GPUQ_GRADER]=''                        # empty: grade_code.py beside bin
    [GPUQ_PYTHON]=python3                   # what runs the grader
    [GPUQ_PATH]=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin # PATH of the jobs
    [GPUQ_AIRA_DOJO_DIR]=/home/gpuuser/aira-dojo
    [GPUQ_IMAGE]=''                         # container image of the aira-dojo template
    [GPUQ_APPTAINER]=apptainer
    [GPUQ_TIME_LIMIT]=604800                # seconds, for submits that name none
    [GPUQ_GRADING_TIME]=300                 # seconds between a graded job's limit and the supervisor's hard stop
    [GPUQ_GRACE]=10                         # seconds between TERM and KILL
    [GPUQ_RETENTION]=30d                    # after which purge takes away what is left of jobs that have ended
    [GPUQ_RETENTION_JOBS]=10000             # and how many of them it leaves at most
    [GPUQ_DISK_FREE]=5                      # GiB that the disk of the spool needs; gpuq doctor fails below
    [GPUQ_UNIT_PROPERTIES]=''               # of the systemd units that jobs run in: MemoryMax=400G CPUWeight=50
)

# What a launch script finds in its environment: these as they are where its supervisor was started, and the site's settings.
readonly CONFIG_PASSES=(HOME USER LOGNAME SHELL TZ TMPDIR XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS)
readonly CONFIG_FOR_JOBS=(
    GPUQ_DATA_DIR GPUQ_GRADER GPUQ_PYTHON GPUQ_AIRA_DOJO_DIR GPUQ_IMAGE GPUQ_APPTAINER
)

config::load() {
    [[ ${GPUQ_CONF:-/} == /* ]] || GPUQ_CONF=$PWD/$GPUQ_CONF # supervisors run elsewhere
    local -r file=${GPUQ_CONF:-/etc/gpuq/gpuq.conf}
    local -a faults=()
    config::read "$file"

    local name
    for name in "${!CONFIG_DEFAULTS[@]}"; do
        [[ -v $name ]] || printf -v "$name" '%s' "${CONFIG_DEFAULTS[$name]}"
    done
    : "${GPUQ_TEMPLATES:=${GPUQ_ROOT%/*}/templates/launch}" "${GPUQ_GRADER:=$GPUQ_ROOT/grade_code.py}"

    for name in GPUQ_TIME_LIMIT GPUQ_GRACE GPUQ_GRADING_TIME GPUQ_DISK_FREE GPUQ_RETENTION_JOBS GPUQ_SLOTS; do
        [[ ${!name} =~ ^[0-9]{1,9}$ || $name == GPUQ_SLOTS && ! ${!name} ]] ||
            faults+=("$name is '${!name}', which is not a whole number")
    done
    words::seconds "$GPUQ_RETENTION" || faults+=("GPUQ_RETENTION is '$GPUQ_RETENTION', which is no duration such as 30d")
    [[ $GPUQ_SLOTS != 0 ]] || faults+=("GPUQ_SLOTS is 0; 'gpuq drain' stops a node")
    [[ $GPUQ_SPOOL == /* ]] || faults+=("GPUQ_SPOOL is '$GPUQ_SPOOL', which is not an absolute path")

    ((${#faults[@]} == 0)) || {
        printf -v name '%s; ' "${faults[@]}"
        words::fail 78 "${name%; }"
    }
}

config::read() { # FILE: what it sets and the environment does not; complaints go to the caller's faults
    local line name
    local -i number=0
    if [[ ! -r $1 ]]; then
        # Where its folder may not be entered nobody can say that it is not there.
        [[ ! -e $1 && ! ${GPUQ_CONF:-} && (-x ${1%/*} || ! -e ${1%/*}) ]] || faults+=("$1 cannot be read")
        return 0
    fi
    while IFS= read -r line || [[ $line ]]; do
        number+=1
        [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
        if [[ ! $line =~ ^(GPUQ_[A-Z_]+)=(.*)$ ]]; then
            faults+=("$1 line $number is not GPUQ_NAME=value")
        elif [[ ! -v CONFIG_DEFAULTS[${BASH_REMATCH[1]}] ]]; then
            faults+=("$1 line $number: there is no setting ${BASH_REMATCH[1]}")
        else
            name=${BASH_REMATCH[1]}
            [[ -v $name ]] || printf -v "$name" '%s' "${BASH_REMATCH[2]}"
        fi
    done <"$1"
}
