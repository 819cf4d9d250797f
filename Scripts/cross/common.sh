# What prepare, enter and build share; read by them, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are used by whoever reads this file

# The processor for which is built, in Debian's words, and in those of compilers; and the Debian on which it will run.
arch=arm64
triple=aarch64-linux-gnu
suite=trixie # 13

# Where the two roots are kept: `compiler`, a Debian with Swift, and `target`, one of the suite with the libraries of both
# processors and the tools that make packages.
cache=${M2M_CROSS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/m2m-cross}/$arch
compiler=$cache/compiler
target=$cache/target

say() { echo "${0##*/}: $*" >&2; }

die() {
    say "$*"
    exit 1
}
