#!/bin/sh
# Boots the systemd of this machine's packages in namespaces of its own: boot-systemd.sh <folder> <name> <checkout> <node>
# Its root is this machine's root under an overlay in memory, so nothing of it is ever written here. The network is
# shared: tests connect to what it serves. Ends when this process does.
set -eu
folder=$1 name=$2
mount_all() {
  root=$1/root
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$1"
  mkdir "$1/upper" "$1/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
  mount -t proc proc "$root/proc"
  # what is not in a namespace stays as it is
  mount --bind /proc/sys "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  for controller in systemd memory pids cpu; do
    mkdir "$root/sys/fs/cgroup/$controller"
    [ $controller = systemd ] && options=none,name=systemd || options=$controller
    mount -t cgroup -o "$options" cgroup "$root/sys/fs/cgroup/$controller"
  done
  # the checkout may be on a disk of its own, or in the /tmp that was just covered; a user of its own must be able to
  # read both, whatever the folders above allow
  mkdir -p "$root/opt/clawkit-lab"
  mkdir "$root/opt/clawkit-lab/checkout"
  mount --rbind "$2" "$root/opt/clawkit-lab/checkout"
  touch "$root/opt/clawkit-lab/node"
  mount --bind "$3" "$root/opt/clawkit-lab/node"
  chmod 755 "$root/opt" "$root/opt/clawkit-lab"
  rm -rf "$root/etc/machine-id" "$root/var/log/journal" "$root/var/lib/systemd/linger"
  : > "$root/etc/machine-id"
  mkdir -p "$root/etc/systemd/system"
  # of the machine's own services nothing starts
  cat > "$root/etc/systemd/system/lab.target" <<END
[Unit]
Requires=sysinit.target
Wants=dbus.service systemd-logind.service systemd-user-sessions.service
After=sysinit.target
AllowIsolate=yes
END
  # compiled once, not with every start
  for manager in system user; do
    mkdir -p "$root/etc/systemd/$manager.conf.d"
    printf '[Manager]\nDefaultEnvironment=NODE_COMPILE_CACHE=/tmp/compile-cache\n' > "$root/etc/systemd/$manager.conf.d/lab.conf"
  done
  mkdir -m 1777 "$root/tmp/compile-cache"
  for unit in sysctl modules-load remount-fs binfmt random-seed update-utmp timesyncd; do
    ln -sf /dev/null "$root/etc/systemd/system/systemd-$unit.service"
  done
  mkdir "$root/oldroot"
  cd "$root"
  pivot_root . oldroot
  umount -l /oldroot
  exec env -i container=clawkit-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PROC_CMDLINE=systemd.unit=lab.target \
    /lib/systemd/systemd --log-target=console --log-level=notice
}
if [ "$name" = inside ]; then mount_all "$folder" "$3" "$4"; fi
for controller in systemd memory pids cpu; do
  mkdir -p "/sys/fs/cgroup/$controller/$name"
  echo $$ > "/sys/fs/cgroup/$controller/$name/cgroup.procs"
done
exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child sh "$0" "$folder" inside "$3" "$4"
