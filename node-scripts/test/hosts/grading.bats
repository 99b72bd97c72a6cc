#!/usr/bin/env bats
# shellcheck disable=SC2016 # the hosts expand what is in single quotes
#
# Solutions in a real container on a real host: the image is that of grading.def without GPUs, Apptainer runs it for ordinary users, and a
# stand-in takes the place of aira-dojo. As in systemd.bats: one user has units (lasting), the other has none (passing).

load fixture

setup_file() {
    local image
    make_bed
    image=$(host grading)
    host up --bind "${image%/*}:/srv/images" h1
    scripts_on h1
    host put h1 "$CHECKOUT/examples" "$CHECKOUT/node-scripts/test/aira-dojo" /opt/
    on h1 'chmod -R a+rX /opt/examples /opt/aira-dojo && useradd --create-home --shell /bin/bash passing'
    a_user h1 lasting
    for user in lasting passing; do
        on h1 "cp -r /opt/aira-dojo /home/$user/ && chown -R $user: /home/$user/aira-dojo"
        as $user 'printf "%s\n" GPUQ_SPOOL=$HOME/spool GPUQ_SLOTS=2 GPUQ_GRACE=5 GPUQ_DISK_FREE=0 GPUQ_TEMPLATE=aira-dojo GPUQ_DATA_DIR=/opt/examples/data \
            GPUQ_IMAGE=/srv/images/grading.sif GPUQ_AIRA_DOJO_DIR=$HOME/aira-dojo >gpuq.conf'
    done
}

teardown_file() {
    end_bed
}

as() { # USER TEXT: a bash script in a login of its own, which is over when it ends
    host run --user "$1" h1 bash -euo pipefail -c "export GPUQ_CONF=~/gpuq.conf; $2"
}

submit() { # USER FILE [OPTION…]: its id is in `id`
    id=$(as "$1" "gpuq submit $2 --competition random-acts-of-pizza ${*:3}")
}

solution() { # USER TEXT: a file solution.py
    as "$1" 'cat >solution.py' <<<"$2"
}

results() { # USER FILTER: of what the job `id` left, by Python, because jq changes NaN
    as "$1" "gpuq fetch $id results | /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print($2)'"
}

is() { # USER KEY VALUE: of the job `id`
    [ "$(as "$1" "gpuq status --json $id | jq -r .$2")" = "$3" ]
}

nothing_is_left() {
    local what
    for what in apptainer Apptainer squashfuse aira-dojo solution.py; do
        gone "$what"
    done
}

@test "the image has what solutions import, for any user, and says of which version it is" {
    as passing "apptainer exec /srv/images/grading.sif python3 -c 'import numpy, pandas, requests, sklearn'"
    as passing 'apptainer test /srv/images/grading.sif'
    [ "$(as passing 'apptainer inspect --json /srv/images/grading.sif | jq -r .data.attributes.labels.version')" = "$(<"$CHECKOUT/node-scripts/VERSION")" ]
}

@test "the example is graded in the container, and its score arrives" {
    for user in lasting passing; do
        submit $user /opt/examples/solution.py
        as $user "gpuq wait $id"
        is $user outcome exited
        [ "$(results $user 'd["success"], d["valid_solution"], d["grading_report"]["score"] > 0.6')" = 'True True True' ]
    done
    nothing_is_left
}

@test "a solution sees the image's Python and packages, and cannot change the data" {
    solution passing 'import os, sys, sklearn
print(sys.version_info >= (3, 13), os.path.exists("/.singularity.d"), os.access("/opt/examples/data", os.W_OK), os.getpid() < 100)'
    submit passing solution.py
    as passing "gpuq wait $id"
    [ "$(results passing '*d["stdout"]')" = 'True True False True' ]
    # It has left no submission, which the grader finds as good as any.
    [ "$(results passing 'd["success"], d["valid_solution"], d["grading_report"]["submission_exists"]')" = 'True False False' ]
}

@test "half a document is no result, nor does it become one when the job is cancelled then" {
    for end in exited cancelled; do
        as lasting 'touch aira-dojo/hold'
        submit lasting /opt/examples/solution.py
        until_true as lasting "grep success spool/jobs/$id.1/work/*"
        run -66 as lasting "gpuq fetch $id results"
        is lasting state running
        is lasting results_size null
        [ $end = exited ] || as lasting "gpuq cancel $id"
        as lasting 'rm aira-dojo/hold'
        if [ $end = exited ]; then
            as lasting "gpuq wait $id"
            results lasting d
        else
            is lasting outcome cancelled
            run -66 as lasting "gpuq fetch $id results"
        fi
    done
}

@test "a bare NaN arrives byte for byte" {
    submit lasting /opt/examples/solution.py
    as lasting "gpuq wait $id"
    as lasting "gpuq fetch $id results" | grep -q '"gold_threshold": NaN,$'
    [ "$(as lasting "gpuq fetch $id results | sha256sum | cut -d' ' -f1")" = "$(as lasting "gpuq status --json $id | jq -r .results_sha256")" ]
}

@test "a solution that crashes, or takes too long, is the grader's to tell: it ends with 0" {
    solution lasting 'import pandas
raise ValueError("no pizza")'
    submit lasting solution.py
    as lasting "gpuq wait $id"
    [ "$(results lasting 'd["success"], d["exit_code"], d["error_output"][-1]')" = 'False 1 ValueError: no pizza' ]
    solution lasting 'import time
time.sleep(4751)'
    submit lasting solution.py --time 1
    as lasting "gpuq wait $id"
    [ "$(results lasting 'd["success"], d["timed_out"]')" = 'False True' ]
    nothing_is_left
}

@test "a cancel leaves no container, no mount of an image and no solution behind, whatever that ignores" {
    for user in lasting passing; do
        solution $user 'import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
open("/tmp/'$user'", "w").close()
time.sleep(4752)'
        submit $user solution.py
        until_true on h1 "[ \$(pgrep -u $user -fc solution.py) -ge 2 ] && [ -e /tmp/$user ]"
        on h1 "pgrep -u $user squashfuse"
        as $user "gpuq cancel $id"
        is $user outcome cancelled
        nothing_is_left
    done
}

@test "the kill -9 of a supervisor leaves nothing either" {
    for user in lasting passing; do
        solution $user 'import time
time.sleep(4753)'
        submit $user solution.py
        until_true on h1 "pgrep -u $user -f 'python.* solution.py'"
        run -75 as $user "kill -KILL \$(awk '/^supervisor/ {print \$2}' spool/jobs/$id.1/life); gpuq wait $id"
        nothing_is_left
    done
}

@test "two run at once, each on a slot of its own" {
    solution lasting 'import os, time
slot = int(os.environ["CUDA_VISIBLE_DEVICES"])
open(f"/tmp/meet.{slot}", "w").close()
while not os.path.exists(f"/tmp/meet.{1 - slot}"):
    time.sleep(0.01)
print("met", slot)'
    submit lasting solution.py
    local -r first=$id
    submit lasting solution.py
    as lasting "gpuq wait $first $id"
    local -r second=$(results lasting '*d["stdout"]')
    id=$first
    run -0 results lasting '*d["stdout"]'
    [ "$(printf '%s\n' "$output" "$second" | sort | paste -sd ' ')" = 'met 0 met 1' ]
}

@test "what is no image, or holds no Python, is a fault of the system; the doctor finds it when it is missing" {
    as lasting 'gpuq doctor' | grep -E '^template +ok +aira-dojo'
    on h1 'cd /tmp && echo "no image" >wrong.sif && mkdir -p empty/bin && cp /bin/true empty/bin && mksquashfs empty empty.sqfs -quiet -no-progress'
    for image in /tmp/wrong.sif /tmp/empty.sqfs; do
        id=$(as lasting "export GPUQ_IMAGE=$image; gpuq submit /opt/examples/solution.py --competition random-acts-of-pizza")
        run -75 as lasting "gpuq wait $id"
        is lasting reason launch_failed
        is lasting detail 'apptainer could not start the container.'
    done
    run -1 as lasting 'GPUQ_IMAGE=/srv/images/none.sif gpuq doctor'
    [[ $output == *template*fail*'/srv/images/none.sif cannot be read'* ]]
}
