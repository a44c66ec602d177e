#!/usr/bin/env node
// The `holdfast` command. TypeScript is run as it is: tsx takes the types away. The project's own tsconfig.json
// is named, or tsx would look for one in the caller's folder.
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register({ tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)) });
await import('./main.ts');
