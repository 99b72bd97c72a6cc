#!/usr/bin/env bats
# The checkout is what the README says it is, and holds nothing of anybody's machine.

setup() {
    cd "$BATS_TEST_DIRNAME/../.."
}

# files: everything that is, or could be, committed.
files() {
    git ls-files -z --cached --others --exclude-standard | while IFS= read -rd '' file; do
        if [[ -f $file ]]; then printf '%s\0' "$file"; fi
    done
}

# texts: the files that we wrote.
texts() {
    files | grep -zvE '^LICENSE$|^examples/data/.*\.(json|csv)$'
}

@test "the top level holds what the README lists and nothing else" {
    # shellcheck disable=SC2016 # backquotes of Markdown
    run diff <(files | tr '\0' '\n' | sed 's|/.*||' | sort -u) \
        <(sed -n '/^## The folders/,/^## /s/^| `\([^`/]*\).*/\1/p' README.md | sort -u)
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "every link in the documentation leads somewhere" {
    run python3 - <<'END'
import pathlib, re
for page in [*pathlib.Path(".").glob("*.md"), *pathlib.Path("docs").rglob("*.md")]:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / target).exists():
            print(f"{page}: {target}")
END
    echo "$output"
    [ -z "$output" ]
}

@test "nothing names this checkout, this machine or this user's home" {
    local place
    for place in "$PWD" "$HOME/." "$(uname -n)"; do
        [ "${#place}" -gt 6 ] || continue
        run bash -c 'xargs -0 grep -nIF -- "$0"' "$place" < <(texts)
        echo "$place: $output"
        [ -z "$output" ]
    done
}

@test "nothing names a package registry" {
    run xargs -0 grep -nIE -e '<(repository|mirror|pluginRepository)>' -e '--?(index-url|registry)[= ]' -e '"resolved":' < <(texts | grep -zv '^.ci/test/')
    echo "$output"
    [ -z "$output" ]
}

@test "no line ends in a blank, no file without a newline" {
    run bash -c 'xargs -0 grep -nIE "[[:blank:]]+$"' < <(texts | grep -zv '^examples/api/')
    echo "$output"
    [ -z "$output" ]
    while IFS= read -rd '' file; do
        [[ ! -s $file || -z $(tail -c 1 -- "$file" | tr -d '\n\0') ]] || { echo "$file" && return 1; }
    done < <(texts)
}

@test "what has an interpreter can be run, and nothing else" {
    while IFS= read -rd '' file; do
        if [[ $(head -c 2 -- "$file" | tr -d '\0') == '#!' && $file != *.bats && $file != *.ftl && $file != *.golden ]]; then
            [[ -x $file ]] || { echo "$file cannot be run" && return 1; }
        else
            [[ ! -x $file || $file == *.bats ]] || { echo "$file can be run" && return 1; }
        fi
    done < <(files)
}

@test "the changelog begins with what is coming, and has an entry for the version of the build" {
    local version
    version=$(sed -n 's|^  <version>\(.*\)</version>|\1|p' pom.xml)
    grep -q "^## $version" CHANGELOG.md
}

@test "no assertion of a bats test hides before an &&: bash ends a test at the last command of such a list only" {
    run grep -nE '^ +(\[ .* \]|\[\[ .* \]\]|grep .*|is_.*|nothing_runs .*) && [^|]*$' node-scripts/test/*.bats .ci/test/*.bats
    echo "$output"
    [ "$status" -eq 1 ]
}
