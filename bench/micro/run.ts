/**
 * `npm run bench:micro [-- matcher parser highway] [--small]`: the kernel's parts alone, each against the figure it must meet.
 */
import { highwayFigures } from './highway.ts';
import { matcherFigures } from './matcher.ts';
import { parserFigures } from './parser.ts';

const words = process.argv.slice(2);
const small = words.includes('--small');
const wanted = words.filter((word) => !word.startsWith('--'));
const wants = (part: string): boolean => wanted.length === 0 || wanted.includes(part);

if (wants('parser')) console.log(`${parserFigures()}\n`);
if (wants('highway')) console.log(`${highwayFigures()}\n`);
if (wants('matcher')) console.log(matcherFigures(small ? [1000, 100_000] : [1000, 100_000, 1_000_000]));
