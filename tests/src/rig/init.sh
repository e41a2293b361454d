#!/bin/sh
# The machine's first program: what systemd, udev and a technician's hands are to a unit.
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev

# Each stands behind those that it needs.
while read -r module options; do
    # Unquoted: options are words.
    insmod "/modules/$module" $options || echo "rig: $module was refused"
done </modules/order

port() {
    for folder in /sys/class/virtio-ports/*; do
        [ "$(cat "$folder/name")" = "$1" ] && echo "/dev/${folder##*/}"
    done
}

# The disk with the unit's two slots. What is not written through is lost with the power.
mkdir -p /var/lib/signpost
mount -t ext4 /dev/vda /var/lib/signpost || echo "rig: the disk was refused"

# The technician's computer, at the other end of the USB cable.
rig-guest relay /dev/ttyACM0 "$(port rig.cable)" &

# The unit's service, whose memory can be bounded.
mount -t cgroup2 cgroup /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/unit
(
    while :; do
        (
            echo 0 >/sys/fs/cgroup/unit/cgroup.procs
            exec signpost boot --board "$(cat /etc/board)" -- $(cat /etc/unit)
        )
        echo "rig: the unit ended with $?"
        sleep 1
    done
) </dev/null &

# The technician's hands: commands from outside, one after the other.
shell=$(port rig.shell)
while :; do
    # Such a port can be opened once.
    exec 3<>"$shell"
    sh <&3 >&3 2>&1
    exec 3>&-
    sleep 1
done
