# Adds up what the runners of the parts report. A part that ran no test has failed; so has a runner that ended badly
# without saying which test did. What failed is named again at the end, with the last of what it said, for those who see only that.

TOTAL_PASSED=0 TOTAL_FAILED=0 TOTAL_SKIPPED=0
TOTAL_NAMES=() TOTAL_REASONS=()
readonly TOTAL_REASON=6 TOTAL_WIDTH=160 # lines of a reason, and characters of a line, that are said again

# totals::name TEXT: of a test that failed.
totals::name() {
    TOTAL_NAMES+=("${PART:+$PART: }$1")
    TOTAL_REASONS+=('')
}

# totals::because LINE: one more line of why the test named last has failed.
totals::because() {
    [[ $1 != *[^\ ]* ]] || TOTAL_REASONS[-1]+="    ${1::TOTAL_WIDTH}"$'\n'
}

# totals::add STATUS RUN FAILED SKIPPED: one part, by its runner's exit status and numbers.
totals::add() {
    local run=$2 failed=$3
    local -r status=$1 skipped=$4
    if ((run == 0)); then
        printf 'no test ran\n'
        totals::name 'no test ran'
        run=1 failed=1
    elif ((status != 0 && failed == 0)); then
        printf 'the runner ended with status %d\n' "$status"
        totals::name "the runner ended with status $status"
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
    local line planned=0 seen=0 failed=0 skipped=0 bad=
    while IFS= read -r line; do
        case $line in
            '#'*) [[ ! $bad ]] || totals::because "${line#'#'}" ;;
            *) bad= ;;
        esac
        case $line in
            1..*) planned=$((planned + ${line#1..})) ;;
            'ok '*'# skip'*) seen=$((seen + 1)) skipped=$((skipped + 1)) ;;
            'ok '*) seen=$((seen + 1)) ;;
            'not ok '*)
                seen=$((seen + 1)) failed=$((failed + 1)) bad=yes
                line=${line#not ok }
                totals::name "${line#* }"
                ;;
        esac
    done <"$file"
    if ((planned > seen)); then
        printf '%d tests were announced and did not run\n' $((planned - seen))
        totals::name "$((planned - seen)) tests were announced and did not run"
        failed=$((failed + planned - seen)) seen=$planned
    fi
    totals::add "$status" "$seen" "$failed" "$skipped"
}

# totals::unittest STATUS FILE: the last lines of Python's unittest.
totals::unittest() {
    local -r status=$1 file=$2
    local line run=0 failed=0 skipped=0 bad=
    while IFS= read -r line; do
        if [[ $line =~ ^(==+|--+)$ ]]; then
            [[ $line != =* ]] || bad=
        elif [[ $line =~ ^Ran\ ([0-9]+)\ test ]]; then
            run=${BASH_REMATCH[1]} failed=0 skipped=0 bad=
        elif [[ $line =~ ^(OK|FAILED)(\ \(.*\))?$ ]]; then
            line=${BASH_REMATCH[2]}
            failed=$(($(totals::number "$line" '(failures=') + $(totals::number "$line" 'errors=') +
                $(totals::number "$line" 'unexpected successes=')))
            skipped=$(totals::number "$line" 'skipped=')
        elif [[ $line =~ ^(FAIL|ERROR|UNEXPECTED\ SUCCESS):\ (.*) ]]; then
            bad=yes
            totals::name "${BASH_REMATCH[2]}"
        elif [[ $bad ]]; then
            totals::because "$line"
        fi
    done <"$file"
    ((run >= failed + skipped)) || run=$((failed + skipped)) # an error outside of any test counts as one
    totals::add "$status" "$run" "$failed" "$skipped"
}

# totals::surefire STATUS DIRECTORY: the reports that Maven leaves, one for each test class.
totals::surefire() {
    local -r status=$1 directory=$2
    local report line name run=0 failed=0 skipped=0
    for report in "$directory"/TEST-*.xml; do
        while IFS= read -r line; do
            if [[ $line == '<testsuite '* ]]; then
                run=$((run + $(totals::number "$line" ' tests="')))
                failed=$((failed + $(totals::number "$line" ' failures="') + $(totals::number "$line" ' errors="')))
                skipped=$((skipped + $(totals::number "$line" ' skipped="')))
            elif [[ $line =~ ^' '*'<testcase name="'([^\"]*)'" classname="'([^\"]*)'"' ]]; then
                name=${BASH_REMATCH[2]}#${BASH_REMATCH[1]}
            elif [[ $line =~ ^' '*'<'(failure|error)[' >'] ]]; then
                totals::name "$name"
                totals::because "$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<<"$line")"
            fi
        done < <(grep -E '^<testsuite |^ *<(testcase|failure|error)[ >]' -- "$report")
    done
    totals::add "$status" "$run" "$failed" "$skipped"
}

# totals::print: the last lines of a run; fails when a test has.
totals::print() {
    local i
    printf '\n'
    for i in "${!TOTAL_NAMES[@]}"; do
        printf 'failed: %s\n' "${TOTAL_NAMES[i]}"
        printf '%s' "${TOTAL_REASONS[i]}" | tail -n "$TOTAL_REASON"
    done
    printf '\n%d passed, %d failed' "$TOTAL_PASSED" "$TOTAL_FAILED"
    ((TOTAL_SKIPPED == 0)) || printf ', %d skipped' "$TOTAL_SKIPPED"
    printf '\n'
    ((TOTAL_FAILED == 0))
}
