#!/usr/bin/env node
console.error('wip')
