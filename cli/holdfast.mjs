#!/usr/bin/env node
// The `holdfast` command.
import { start } from '../tools/program.mjs';

await start('cli/main.ts');
