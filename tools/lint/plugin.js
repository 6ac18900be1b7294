// The project's own lint rules, loaded by oxlint (which reads JavaScript plugins only, on Node 20).
import path from 'node:path';
import { ambientLayers, layers, purePackages } from './layers.js';

/** The place of a file in src, e.g. `{ layer: 'etcd', inLayer: 'store.ts', test: false }`; undefined outside. */
function placeOf(context, filename = context.filename) {
  const relative = path.relative(path.join(context.cwd, 'src'), filename).split(path.sep);
  if (relative[0] === '..' || relative.length < 2) return undefined;
  const [layer = '', ...rest] = relative;
  const inLayer = rest.join('/');
  return { layer, inLayer, test: /\.test\.tsx?$/.test(inLayer) };
}

const hasExtension = (specifier) => /\.\w+(\?\w+)?$/.test(specifier);

/** Calls back for every import of a file, however it is written. */
function onImports(check) {
  const literal = (node, typeOnly) =>
    node?.type === 'Literal' && typeof node.value === 'string' && check(node, node.value, typeOnly);
  const isType = (node, kind) =>
    node[kind] === 'type' ||
    (node.specifiers?.length > 0 && node.specifiers.every((specifier) => specifier[kind] === 'type'));
  return {
    ImportDeclaration: (node) => literal(node.source, isType(node, 'importKind')),
    ExportNamedDeclaration: (node) => literal(node.source, isType(node, 'exportKind')),
    ExportAllDeclaration: (node) => literal(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => literal(node.source, false),
    TSImportType: (node) => literal(node.source ?? node.argument?.literal ?? node.argument, true),
    // new URL('./worker.ts', import.meta.url): how a worker or an asset is named.
    NewExpression: (node) =>
      node.callee.name === 'URL' && node.arguments[1]?.type === 'MemberExpression' && literal(node.arguments[0], false),
  };
}

const layerRule = {
  create(context) {
    const place = placeOf(context);
    if (!place) return {};
    const { layer, test } = place;
    const allowed = layers[layer];
    const report = (node, message) => context.report({ node, message });
    return {
      Program(node) {
        if (!allowed) report(node, `src/${layer} is not a layer: add it to tools/lint/layers.js or move the file.`);
      },
      ...onImports((node, specifier, typeOnly) => {
        if (!allowed) return;
        if (specifier.startsWith('.')) {
          const target = placeOf(context, path.resolve(path.dirname(context.filename), specifier));
          if (target?.layer !== layer) {
            report(
              node,
              `A relative import stays in its layer; spell this one '#${target ? `${target.layer}/${target.inLayer}` : 'layer/file.ts'}'.`,
            );
          } else if (!hasExtension(specifier)) {
            report(node, 'Name the file with its extension.');
          }
        } else if (specifier.startsWith('#')) {
          const target = specifier.slice(1);
          const targetLayer = target.split('/')[0];
          const entries = [targetLayer, target, ...(typeOnly ? [`type ${target}`] : [])];
          if (targetLayer === layer) report(node, `An import inside the layer is relative: './…', not '${specifier}'.`);
          else if (!hasExtension(specifier)) report(node, 'Name the file with its extension.');
          else if (!layers[targetLayer]) report(node, `'${targetLayer}' is not a layer of tools/lint/layers.js.`);
          else if (!test && !entries.some((entry) => allowed.includes(entry))) {
            report(
              node,
              `${layer} may not import ${target}; it may import: ${allowed.join(', ') || 'nothing'} (tools/lint/layers.js).`,
            );
          }
        } else if (!test && !ambientLayers.includes(layer)) {
          const name = specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/');
          if (!purePackages.includes(name)) {
            report(
              node,
              `${layer} may not import '${specifier}': below hosts only the pure packages of tools/lint/layers.js, nothing of Node, the page or the network.`,
            );
          }
        }
      }),
    };
  },
};

const timers = 'set timers on the injected Clock (clock.sleep, clock.afterFunc), start work as a task of the Pump';
const clock = 'take the time from the injected Clock (clock.now())';
const rng = 'take randomness from the injected Rng';
const unicode = 'compare and format by code unit (<, padStart, toFixed), the same on every machine';

/** Global name → what to use instead. */
const bannedGlobals = {
  performance: clock,
  setTimeout: timers,
  setInterval: timers,
  setImmediate: timers,
  clearTimeout: timers,
  clearInterval: timers,
  clearImmediate: timers,
  queueMicrotask: timers,
  requestAnimationFrame: timers,
  requestIdleCallback: timers,
  console: 'log through the injected Logger',
  fetch: 'send requests through an HttpHandler of #transport',
  WebSocket: 'use Upgrade of #transport',
  XMLHttpRequest: 'send requests through an HttpHandler of #transport',
  crypto: `${rng}; digests come from #base and @noble/hashes`,
  process: 'take settings as arguments; only hosts know the process',
  globalThis: 'take what you need as an argument; only hosts know the global object',
  Intl: unicode,
  WeakRef: 'garbage collection has no fixed time; manage the lifetime explicitly',
  FinalizationRegistry: 'garbage collection has no fixed time; manage the lifetime explicitly',
};
const engineMath = 'the result differs between engines; use integers, tables, or + - * / and Math.sqrt';
const parked = 'never wait for parked work in one task: spawn tasks on the Pump and join them';
/** Object → member → what to use instead. */
const bannedMembers = {
  Date: { now: clock },
  Math: {
    random: rng,
    ...Object.fromEntries(
      'log log2 log10 log1p exp expm1 pow cbrt hypot sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh'
        .split(' ')
        .map((name) => [name, engineMath]),
    ),
  },
  Promise: { all: parked, race: parked, any: parked, allSettled: parked },
};
const bannedMethods = Object.fromEntries(
  'localeCompare toLocaleString toLocaleDateString toLocaleTimeString toLocaleLowerCase toLocaleUpperCase'
    .split(' ')
    .map((name) => [name, unicode]),
);

/** `x: Console` and `typeof console` in a type name a global without using it. */
const isTypePosition = (node) =>
  node.parent.type.startsWith('TS') &&
  !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(node.parent.type);

const ambientRule = {
  create(context) {
    const place = placeOf(context);
    if (!place || place.test || ambientLayers.includes(place.layer)) return {};
    const { sourceCode } = context;
    const report = (node, what, instead) =>
      context.report({ node, message: `${what} is not deterministic: ${instead}.` });
    const isGlobal = (node) => node.type === 'Identifier' && sourceCode.isGlobalReference(node);
    return {
      'Program:exit'(program) {
        const scope = sourceCode.getScope(program);
        const references = [
          ...scope.through,
          ...scope.variables.flatMap(({ defs, references }) => (defs.length ? [] : references)),
        ];
        for (const identifier of new Set(references.map((reference) => reference.identifier))) {
          const name = identifier.name;
          if (Object.hasOwn(bannedGlobals, name) && !isTypePosition(identifier))
            report(identifier, name, bannedGlobals[name]);
        }
      },
      MemberExpression(node) {
        const name = node.computed ? node.property.value : node.property.name;
        if (typeof name !== 'string') return;
        if (Object.hasOwn(bannedMethods, name)) report(node, name, bannedMethods[name]);
        const object = node.object.name;
        if (
          object &&
          Object.hasOwn(bannedMembers, object) &&
          Object.hasOwn(bannedMembers[object], name) &&
          isGlobal(node.object)
        ) {
          report(node, `${object}.${name}`, bannedMembers[object][name]);
        }
      },
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) report(node, 'new Date()', clock);
      },
      CallExpression(node) {
        if (node.callee.name === 'Date') report(node, 'Date()', clock);
      },
    };
  },
};

const barrelRule = {
  create(context) {
    return {
      ExportAllDeclaration: (node) =>
        context.report({ node, message: 'No barrels: import from the file that defines it.' }),
      Program(node) {
        if (
          node.body.length > 0 &&
          node.body.every((statement) => statement.type === 'ExportNamedDeclaration' && statement.source)
        ) {
          context.report({ node, message: 'No barrels: a file that only re-exports is not a place to start reading.' });
        }
      },
    };
  },
};

/** The plugin in the form that oxlint loads. */
export default {
  meta: { name: 'tabernetes' },
  rules: { layers: layerRule, 'no-ambient': ambientRule, 'no-barrel': barrelRule },
};
