import { defineConfig } from 'mcp-patchbay'

const { PUBLIC_URL, REDIS_URL, STATE_KEY } = process.env

// For a container: the kubelet, Prometheus and clients come from outside, so both listeners take all addresses, and callers need a key.
export default defineConfig({
  pluginDirs: ['./plugins'],
  listen: {
    // `patchbay` is the name of the Kubernetes Service; any IP address and localhost are accepted anyway.
    http: { host: '0.0.0.0', port: 3000, allowedHosts: ['patchbay'], ...(PUBLIC_URL && { publicUrl: PUBLIC_URL }) },
    management: { host: '0.0.0.0', port: 3001 },
  },
  auth: {
    inbound: { mode: 'apiKey', keysFile: './keys/mcp.keys.json' },
    // The same in all replicas: openssl rand -base64 32
    ...(STATE_KEY && { stateKeyVariable: 'STATE_KEY' }),
  },
  cache: { store: REDIS_URL || 'memory' },
  // Long enough for a balancer to see at /readyz that this replica leaves.
  limits: { leaveMs: 5_000 },
  deployments: {
    production: { frozen: true, log: { format: 'json' } },
  },
})
