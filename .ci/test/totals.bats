#!/usr/bin/env bats
# The total of ./test is what its runners reported, and silence counts as a failure.

setup() {
    source "$BATS_TEST_DIRNAME/../lib/totals.bash"
    cd "$BATS_TEST_TMPDIR"
}

totals() {
    [ "$TOTAL_PASSED $TOTAL_FAILED $TOTAL_SKIPPED" = "$*" ]
}

@test "TAP: passed, failed and skipped are counted apart" {
    printf '%s\n' 1..4 'ok 1 a' 'not ok 2 b' '# because' 'ok 3 c # skip no GPU' 'ok 4 d' >tap
    totals::tap 1 tap
    totals 2 1 1
}

@test "TAP: announced tests that did not run have failed" {
    printf '%s\n' 1..3 'ok 1 a' >tap
    totals::tap 0 tap
    totals 1 2 0
}

@test "TAP: nothing at all is a failure" {
    : >tap
    totals::tap 0 tap
    totals 0 1 0
}

@test "unittest: everything passed" {
    printf '%s\n' 'test_a ... ok' '' 'Ran 12 tests in 0.1s' '' OK >out
    totals::unittest 0 out
    totals 12 0 0
}

@test "unittest: failures, errors, skips and unexpected successes" {
    printf '%s\n' 'Ran 12 tests in 0.1s' '' 'FAILED (failures=1, errors=2, skipped=3, expected failures=5, unexpected successes=1)' >out
    totals::unittest 1 out
    totals 5 4 3
}

@test "unittest: a run that broke off is a failure" {
    printf '%s\n' 'test_a ... ok' Traceback >out
    totals::unittest 1 out
    totals 0 1 0
}

@test "surefire: the reports of all classes are summed" {
    printf '<testsuite name="A" time="1" tests="7" errors="1" skipped="2" failures="1" >\n' >TEST-A.xml
    printf '<?xml version="1.0"?>\n<testsuite name="B" time="1" tests="3" errors="0" skipped="0" failures="0">\n' >TEST-B.xml
    totals::surefire 1 .
    totals 6 2 2
}

@test "a runner that ends badly without a failed test adds one" {
    printf '<testsuite name="B" tests="3" errors="0" skipped="0" failures="0">\n' >TEST-B.xml
    totals::surefire 1 .
    totals 3 1 0
}

@test "what failed is named again before the last line, with the last of what it said" {
    PART=node
    printf '%s\n' 1..3 '# of nothing' 'ok 1 a' 'not ok 2 b c' "$(printf '# %d\n' {1..7})" 'ok 3 d' '# of d' >tap
    totals::tap 1 tap
    PART=grader
    printf '%s\n' 'test_a ... FAIL' ==== 'FAIL: test_a (x.Y.test_a)' ---- 'Traceback' '' 'AssertionError: no' '' ==== \
        'ERROR: test_b (x.Y.test_b)' ---- "$(printf '%0500d' 0)" ---- 'Ran 2 tests in 0.1s' 'FAILED (failures=1, errors=1)' >out
    totals::unittest 1 out
    PART=java
    cat >TEST-A.xml <<'END'
<testsuite name="gpuq.A" tests="3" errors="0" skipped="0" failures="1">
  <testcase name="good" classname="gpuq.A" time="0.1"/>
  <testcase name="bad{int}[1]" classname="gpuq.A" time="0.1">
    <failure message="&lt;error&gt;" type="x">
  </testcase>
</testsuite>
END
    totals::surefire 1 .
    diff - <(totals::print) <<END

failed: node: b c
     2
     3
     4
     5
     6
     7
failed: grader: test_a (x.Y.test_a)
    Traceback
    AssertionError: no
failed: grader: test_b (x.Y.test_b)
    $(printf '%0160d' 0)
failed: java: gpuq.A#bad{int}[1]
    &lt;error&gt;

4 passed, 4 failed
END
}

@test "the last line is plain, and the exit status tells the same" {
    totals::add 0 3 0 0
    run totals::print
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "3 passed, 0 failed" ]
    totals::add 1 3 1 1
    run totals::print
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = "4 passed, 1 failed, 1 skipped" ]
}
