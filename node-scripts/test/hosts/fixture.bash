# What tests of the node scripts on real hosts start from.
# shellcheck shell=bash

load ../../../.ci/test/bed

# scripts_on HOST: the node scripts, as a site has them.
scripts_on() {
    host put "$1" "$CHECKOUT/node-scripts" "$CHECKOUT/templates" /opt/gpuq/
    on "$1" 'chmod -R a+rX /opt/gpuq && ln -s /opt/gpuq/node-scripts/bin/gpuq /usr/local/bin/'
}

on() { # HOST TEXT: a bash script as root, not over the network
    host console "$1" bash -euo pipefail -c "$2"
}

gone() { # MARK: nothing on the host has it in its command line
    run -0 on h1 "ps -eo pid,args | grep -F -- '$1' | grep -v grep || :"
    [ -z "$output" ] || {
        echo "still there: $output"
        return 1
    }
}
