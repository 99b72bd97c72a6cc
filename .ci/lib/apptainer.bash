# Apptainer's package as a file, as somebody has it who installs it on hosts whose distribution has none. Needs unstable.bash.

# apptainer::fetch FOLDER
apptainer::fetch() {
    say fetching "Apptainer, once: some seconds"
    unstable::fetch_only "$1" apptainer
}
