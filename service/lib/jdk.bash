# Finds the JDK that builds and runs gpuq. The default `java` of a distribution is often older.

readonly JDK_WANTED=25

# jdk::release HOME: the feature release of the JDK at HOME; fails where there is none. Reads a file, starts no JVM.
jdk::release() {
    local -r home=$1
    local line
    [[ -x $home/bin/java && -x $home/bin/javac && -r $home/release ]] || return 1
    while read -r line; do
        if [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]]; then
            printf '%s\n' "${BASH_REMATCH[1]}"
            return
        fi
    done <"$home/release"
    return 1
}

# jdk::candidates: where a JDK may be, best first, one directory a line. JVM_DIRECTORY is where the system keeps them.
jdk::candidates() {
    local compiler home
    [[ -z ${JAVA_HOME:-} ]] || printf '%s\n' "$JAVA_HOME"
    while read -r compiler; do
        compiler=$(readlink -f -- "$compiler")
        printf '%s\n' "${compiler%/bin/javac}"
    done < <(type -aP javac)
    for home in "${JVM_DIRECTORY:-/usr/lib/jvm}"/*/; do
        printf '%s\n' "${home%/}"
    done
}

# jdk::find: prints the home of the first JDK that is new enough.
jdk::find() {
    local home release
    while read -r home; do
        release=$(jdk::release "$home") || continue
        if ((release >= JDK_WANTED)); then
            printf '%s\n' "$home"
            return
        fi
    done < <(jdk::candidates)
    die "no JDK $JDK_WANTED or newer in JAVA_HOME, PATH or ${JVM_DIRECTORY:-/usr/lib/jvm}: install one or set JAVA_HOME."
}
