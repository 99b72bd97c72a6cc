# What takes long to make and is the same every time is made once on a machine, outside of the checkout. Needs strict.bash.
#
# A folder for each thing. The end of its name is a hash of the recipe, the files that make it: a changed recipe makes a new
# one. What nobody has used for a day goes away.

# cache::home: the folder that holds them.
cache::home() {
    local home=/var/cache
    ((EUID == 0)) || home=$HOME/.cache
    printf '%s/gpuq\n' "${XDG_CACHE_HOME:-$home}"
}

# cache::ensure NAME RECIPE MAKE [RECIPE…]: sets CACHED to the folder of NAME. MAKE is called with an empty folder when there is none
# yet, or none by these RECIPEs. Two at once take turns, and the second finds it done.
cache::ensure() {
    local -r name=$1 recipe=$2 make=$3
    local home key half turn
    home=$(cache::home)
    key=$(cat -- "$recipe" "${@:4}" | sha256sum)
    CACHED=$home/$name-${key::16}
    claim "$home/$name.turn" || die "cannot write to $home: set XDG_CACHE_HOME to another folder."
    exec {turn}<"$home/$name.turn"
    flock "$turn"
    if [[ ! -d $CACHED ]]; then
        rm -rf -- "$home/.$name".* # whoever made those was killed: it is our turn
        half=$(mktemp -d -- "$home/.$name.XXXXXX")
        "$make" "$half" {turn}<&-
        mv -T -- "$half" "$CACHED"
    fi
    touch -- "$CACHED"
    find "$home" -mindepth 1 -maxdepth 1 -name "$name-*" -mtime +0 -exec rm -rf -- {} +
    exec {turn}<&-
}
