/** Every state that a plugin can be in, for the listing, `/readyz` and the metric alike. */
export const PLUGIN_STATES = ['loading', 'active', 'idle', 'unconfigured', 'quarantined', 'failed'] as const

export type PluginState = (typeof PLUGIN_STATES)[number]
