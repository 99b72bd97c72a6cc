# Adds up what the runners of the parts report. A part that ran no test has failed; so has a runner that ended badly
# without saying which test did.

TOTAL_PASSED=0 TOTAL_FAILED=0 TOTAL_SKIPPED=0

# totals::add STATUS RUN FAILED SKIPPED: one part, by its runner's exit status and numbers.
totals::add() {
    local run=$2 failed=$3
    local -r status=$1 skipped=$4
    if ((run == 0)); then
        printf 'no test ran\n'
        run=1 failed=1
    elif ((status != 0 && failed == 0)); then
        printf 'the runner ended with status %d\n' "$status"
        run=$((run + 1)) failed=1
    fi
    TOTAL_PASSED=$((TOTAL_PASSED + run - failed - skipped))
    TOTAL_FAILED=$((TOTAL_FAILED + failed))
    TOTAL_SKIPPED=$((TOTAL_SKIPPED + skipped))
}

# totals::number TEXT LABEL: the number that follows LABEL in TEXT; 0 where it does not occur.
totals::number() {
    if [[ $1 =~ "$2"([0-9]+) ]]; then printf '%s' "${BASH_REMATCH[1]}"; else printf 0; fi
}

# totals::tap STATUS FILE: TAP, as bats prints it. Tests that the plan announced and nobody saw have failed.
totals::tap() {
    local -r status=$1 file=$2
    local line planned=0 seen=0 failed=0 skipped=0
    while IFS= read -r line; do
        case $line in
            1..*) planned=$((planned + ${line#1..})) ;;
            'ok '*'# skip'*) seen=$((seen + 1)) skipped=$((skipped + 1)) ;;
            'ok '*) seen=$((seen + 1)) ;;
            'not ok '*) seen=$((seen + 1)) failed=$((failed + 1)) ;;
        esac
    done <"$file"
    if ((planned > seen)); then
        printf '%d tests were announced and did not run\n' $((planned - seen))
        failed=$((failed + planned - seen)) seen=$planned
    fi
    totals::add "$status" "$seen" "$failed" "$skipped"
}

# totals::unittest STATUS FILE: the last lines of Python's unittest.
totals::unittest() {
    local -r status=$1 file=$2
    local line run=0 failed=0 skipped=0
    while IFS= read -r line; do
        if [[ $line =~ ^Ran\ ([0-9]+)\ test ]]; then
            run=${BASH_REMATCH[1]} failed=0 skipped=0
        elif [[ $line =~ ^(OK|FAILED)(\ \(.*\))?$ ]]; then
            line=${BASH_REMATCH[2]}
            failed=$(($(totals::number "$line" '(failures=') + $(totals::number "$line" 'errors=') +
                $(totals::number "$line" 'unexpected successes=')))
            skipped=$(totals::number "$line" 'skipped=')
        fi
    done <"$file"
    ((run >= failed + skipped)) || run=$((failed + skipped)) # an error outside of any test counts as one
    totals::add "$status" "$run" "$failed" "$skipped"
}

# totals::surefire STATUS DIRECTORY: the reports that Maven leaves, one for each test class.
totals::surefire() {
    local -r status=$1 directory=$2
    local report line run=0 failed=0 skipped=0
    for report in "$directory"/TEST-*.xml; do
        while IFS= read -r line; do
            [[ $line == '<testsuite '* ]] || continue
            run=$((run + $(totals::number "$line" ' tests="')))
            failed=$((failed + $(totals::number "$line" ' failures="') + $(totals::number "$line" ' errors="')))
            skipped=$((skipped + $(totals::number "$line" ' skipped="')))
            break
        done <"$report"
    done
    totals::add "$status" "$run" "$failed" "$skipped"
}

# totals::print: the last line of a run; fails when a test has.
totals::print() {
    printf '\n%d passed, %d failed' "$TOTAL_PASSED" "$TOTAL_FAILED"
    ((TOTAL_SKIPPED == 0)) || printf ', %d skipped' "$TOTAL_SKIPPED"
    printf '\n'
    ((TOTAL_FAILED == 0))
}
