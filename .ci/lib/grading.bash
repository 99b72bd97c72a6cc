# The image that grades, without GPUs: node-scripts/grading.def on a bare Debian instead of CUDA. Apptainer is in the image of the test
# hosts, so it is built in there. Needs strict.bash, cache.bash and image.bash.

# grading::ensure: makes CACHED the folder of grading.sif.
grading::ensure() {
    local host
    image::ensure
    host=$CACHED
    cache::ensure grading "$ROOT/.ci/lib/grading.bash" grading::make "$ROOT/node-scripts/grading.def"
}

# grading::make FOLDER
grading::make() {
    local -r folder=$1 log=$1.log began=${EPOCHREALTIME/./}
    say building "the image that grades with apptainer, once: about two minutes" >&2
    if ! { grading::base "$folder/base" && grading::build "$folder"; } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        die "building the image that grades failed."
    fi
    rm -rf -- "$log" "$folder"/{base,tmp,grading.def}
    chmod 755 -- "$folder" # hosts see it from inside
    say built "in $(seconds_since "$began")" >&2
}

# grading::base FOLDER: Debian with nothing but apt, which keeps on asking the mirror of this machine.
grading::base() (
    local mirror
    mirror=$(image::mirror) || return
    umask 022
    image::mmdebstrap "$IMAGE_SUITE" "$1" "deb $mirror $IMAGE_SUITE main" || return
    rm -rf -- "${1:?}"/dev/* # apptainer has its own, and may not copy these
)

# grading::build FOLDER: in a user namespace, because apptainer's root needs every capability, and the root of this machine may lack some.
# The network is this machine's.
grading::build() (
    umask 022
    cp -- "$ROOT/node-scripts/grading.def" "$1" || return
    mkdir -- "$1/tmp" || return
    systemd-nspawn --quiet --register=no --keep-unit --as-pid2 --machine=gpuq-grading --directory="$host" --volatile=overlay \
        --private-users=identity --capability=all --resolv-conf=copy-host --bind-ro=/etc/hosts --bind="$1:/mnt" \
        --setenv=APPTAINER_TMPDIR=/mnt/tmp </dev/null \
        apptainer build --build-arg bootstrap=localimage --build-arg base=/mnt/base --build-arg wheels= \
        --mksquashfs-args '-comp zstd -Xcompression-level 3' /mnt/grading.sif /mnt/grading.def
)
