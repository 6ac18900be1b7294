import { messageOf } from '../../cluster-store/cluster-store.ts';
import { runKubectl, type Printed } from '../../session/kubectl-session.ts';
import {
  fieldsIn,
  locateField,
  MAX_BYTES,
  readDocuments,
  TOO_DEEP,
  type ManifestDocument,
  type Problem,
} from './documents.ts';
import type { Answer } from './editor-store.ts';

/** A place that only the command sees. */
const DIRECTORY = '/tmp/editor';

/** What kubectl printed, as the answer to a document. */
export function answerOf(verb: Answer['verb'], manifest: ManifestDocument, printed: Printed): Answer {
  const warnings: string[] = [];
  const errors: string[] = [];
  for (const line of printed.stderr.trimEnd().split('\n')) {
    const warning = /^Warning: (.*)$/.exec(line)?.[1];
    if (warning !== undefined) warnings.push(warning);
    else if (line) errors.push(line);
  }
  const failed = printed.code !== 0;
  const text = (failed ? errors.join('\n') || printed.stdout : [printed.stdout, ...errors].join('\n')).trim();
  const problems = failed
    ? fieldsIn(text).flatMap((field): Problem[] => {
        const place = locateField(manifest, field);
        return place ? [{ ...place, severity: 'error', message: text }] : [];
      })
    : [];
  return { verb, title: manifest.title, startLine: manifest.startLine, text, failed, warnings, problems };
}

/**
 * Does with each document of a text what `kubectl apply -f` or `kubectl delete -f` does with it, one after the other,
 * and tells each answer as it comes. A document that is not YAML, or too large to send, is answered here.
 */
export async function applyDocuments(
  verb: Answer['verb'],
  name: string,
  text: string,
  told: (answers: readonly Answer[]) => void,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const refuse = (
    manifest: Pick<ManifestDocument, 'title' | 'startLine'>,
    message: string,
    problems: readonly Problem[] = [],
  ) =>
    answers.push({
      verb,
      title: manifest.title,
      startLine: manifest.startLine,
      text: message,
      failed: true,
      warnings: [],
      problems,
    });
  if (text.length > MAX_BYTES) {
    refuse(
      { title: name, startLine: 1 },
      `error: ${name}: the request is larger than the API server takes (limit is ${MAX_BYTES} bytes)`,
    );
    told([...answers]);
    return answers;
  }
  const documents = readDocuments(text);
  if (documents.length === 0) refuse({ title: name, startLine: 1 }, `error: no objects passed to ${verb}`);
  for (const manifest of documents) {
    const faults = manifest.problems.filter((problem) => problem.severity === 'error');
    const hostile = faults.find((problem) => problem.message.startsWith(TOO_DEEP));
    if (hostile) refuse(manifest, `error: error parsing ${name}: ${hostile.message}`, faults);
    else {
      try {
        const files = new Map([[`${DIRECTORY}/${name}`, new TextEncoder().encode(manifest.text)]]);
        const words = [verb, '-f', name, ...(verb === 'delete' ? ['--wait=false'] : [])];
        const answer = answerOf(verb, manifest, await runKubectl(words, files, DIRECTORY));
        answers.push(faults.length > 0 ? { ...answer, problems: faults } : answer);
      } catch (error) {
        refuse(manifest, `error: ${messageOf(error)}`);
      }
    }
    told([...answers]);
  }
  return answers;
}
