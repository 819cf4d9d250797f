# What prepare and run share; read by them, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are used by whoever reads this file

# The guest's architecture, in Debian's words. Another one needs a case below, a compiler for it in prepare, and
# libraries for its programs in run, where ldd knows those of this machine only.
arch=amd64
case $arch in
amd64)
    qemu_package="qemu-system-x86"
    qemu=(qemu-system-x86_64 -cpu max)
    console=ttyS0
    ;;
esac

# Where the kernel and the base of the guest's file system are kept.
cache=${M2M_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/m2m-vm}/$arch

# No program's own status: the machine could not do its part.
readonly vm_failed=125

say() { echo "${0##*/}: $*" >&2; }

die() {
    say "$*"
    exit $vm_failed
}

# merged_usr DIR: the folders of a file system in which /bin, /lib and so on are links into /usr, as in Debian. Both
# archives of the guest have them: the kernel would put a real folder in the place of a link.
merged_usr() {
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        ln -s "usr/$name" "$1/$name"
    done
}

# archive DIR: the folder as an initramfs on standard output, everything owned by root.
archive() {
    (cd "$1" && find . -mindepth 1 -print0 | cpio --null --create --format=newc --owner=+0:+0 --quiet)
}
