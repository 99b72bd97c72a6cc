# The prologue of a launch script: one quoted assignment for each fact of the job. The server renders the same bytes from
# templates/launch/prologue.sh.ftl; docs/node-protocol.md is the contract.
# shellcheck shell=bash

prologue::print() { # needs JOB
    local fact
    local -r quote="'\\''"
    printf '#!/usr/bin/env bash\n# gpuq launch script\n'
    for fact in "${JOB_FACTS[@]}"; do
        printf "GPUQ_%s='%s'\n" "${fact^^}" "${JOB[$fact]//\'/$quote}"
    done
    printf '\n'
}
