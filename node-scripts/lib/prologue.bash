# The prologue of a launch script: one quoted assignment for each fact of the job. The server renders the same bytes from
# templates/launch/prologue.sh.ftl; docs/node-protocol.md is the contract.
# shellcheck shell=bash

prologue::print() { # needs JOB
    local fact text=$'#!/usr/bin/env bash\n# gpuq launch script\n'
    local -r quote="'\\''"
    for fact in "${JOB_FACTS[@]}"; do
        text+="GPUQ_${fact^^}='${JOB[$fact]//\'/$quote}'"$'\n'
    done
    printf '%s\n' "$text"
}
