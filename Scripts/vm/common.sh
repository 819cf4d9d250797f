# What prepare and run share; read by them, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are used by whoever reads this file

# The guest's architecture, in Debian's words; where its libraries are; and with what the names of compiler, linker and so
# on begin, where those are not this machine's own.
arch=${M2M_VM_ARCH:-amd64}
case $arch in
amd64)
    qemu_package="qemu-system-x86"
    qemu=(qemu-system-x86_64 -cpu max)
    console=ttyS0
    triple=x86_64-linux-gnu
    tools=''
    ;;
arm64)
    qemu_package="qemu-system-arm"
    qemu=(qemu-system-aarch64 -M virt -cpu cortex-a72) # the processor of a Raspberry Pi 4
    console=ttyAMA0
    triple=aarch64-linux-gnu
    tools=$triple-
    ;;
*)
    echo "M2M_VM_ARCH=$arch: there are guests for amd64 and arm64" >&2
    exit 125
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
