import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Why a test that needs these commands cannot run here, or false. */
export function missing(...commands: readonly string[]): string | false {
  const absent = commands.filter((command) => !isInstalled(command))
  return absent.length > 0 && `not installed: ${absent.join(', ')}`
}

/** Why no image can be built and run here, or false: a container of CI may install the tools, but not mount anything. */
export function cannotRunImages(): string | false {
  const absent = missing('buildah', 'mmdebstrap', 'unshare', 'nsenter', 'setpriv', 'ip')
  if (absent) return absent
  if (process.getuid?.() !== 0) return 'building an image in a chroot needs root'
  const attempt =
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/a && mount --bind /mnt/a /mnt/a && ip link set lo up && mknod /mnt/null c 1 3'
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--mount-proc', 'sh', '-c', attempt]
  const { status, stderr } = spawnSync('unshare', namespaces, { encoding: 'utf8' })
  return status !== 0 && `this machine lets no process have namespaces and mounts of its own: ${stderr.trim()}`
}

function isInstalled(command: string): boolean {
  return [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].some((folder) => existsSync(join(folder, command)))
}
