import type { FieldError, FieldErrorType } from './field-error.ts';

// Building blocks of validation. Follows apimachinery's util/validation and util/validation/field, v1.33.

/** A value as Go's `%q` prints a string. */
export function goQuote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code >= 0x80 && !PRINTABLE.test(char)) {
      out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    } else out += char;
  }
  return `${out}"`;
}
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** A value that an error message prints as it stands: the Go notation of a structure, a list or a map. */
export class GoValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A list of strings in Go notation. */
export const goStrings = (list: readonly string[]): GoValue => new GoValue(`[]string{${list.map(goQuote).join(', ')}}`);

/** A map of strings in Go notation. */
export const goStringMap = (map: Readonly<Record<string, string>>): GoValue =>
  new GoValue(
    `map[string]string{${Object.keys(map)
      .sort()
      .map((key) => `${goQuote(key)}:${goQuote(map[key] as string)}`)
      .join(', ')}}`,
  );

export type BadValue = string | number | bigint | boolean | null | undefined | GoValue;

function show(value: BadValue): string {
  if (typeof value === 'string') return goQuote(value);
  if (value instanceof GoValue) return value.text;
  if (value === undefined) return 'null';
  return String(value);
}

function fieldError(type: FieldErrorType, field: string, head: string, detail: string): FieldError {
  return { type, field, text: detail ? `${head}: ${detail}` : head };
}

export const required = (field: string, detail = ''): FieldError =>
  fieldError('Required', field, 'Required value', detail);
export const forbiddenField = (field: string, detail: string): FieldError =>
  fieldError('Forbidden', field, 'Forbidden', detail);
export const invalidField = (field: string, value: BadValue, detail: string): FieldError =>
  fieldError('Invalid', field, `Invalid value: ${show(value)}`, detail);
/** Says what is wrong with a field without showing it. */
export const invalidWithoutValue = (field: string, detail: string): FieldError =>
  fieldError('Invalid', field, 'Invalid value', detail);
export const typeInvalid = (field: string, value: BadValue, detail: string): FieldError =>
  fieldError('TypeInvalid', field, `Invalid value: ${show(value)}`, detail);
export const duplicate = (field: string, value: BadValue): FieldError =>
  fieldError('Duplicate', field, `Duplicate value: ${show(value)}`, '');
export const notFoundField = (field: string, value: BadValue): FieldError =>
  fieldError('NotFound', field, `Not found: ${show(value)}`, '');
/** `supported` in the order in which the message lists it (upstream sorts most of them). */
export const notSupported = (field: string, value: BadValue, supported: readonly string[]): FieldError =>
  fieldError(
    'NotSupported',
    field,
    `Unsupported value: ${show(value)}`,
    supported.length ? `supported values: ${supported.map(goQuote).join(', ')}` : '',
  );
export const tooLong = (field: string, maxBytes: number): FieldError =>
  fieldError(
    'TooLong',
    field,
    'Too long',
    maxBytes >= 0 ? `may not be more than ${maxBytes} bytes` : 'value is too long',
  );
export const tooMany = (field: string, actual: number, max: number): FieldError =>
  fieldError('TooMany', field, `Too many: ${actual}`, `must have at most ${max} items`);
export const internalFieldError = (field: string, detail: string): FieldError =>
  fieldError('InternalError', field, 'Internal error', detail);

/** `path.child`, or `child` at the root. */
export const child = (path: string, ...names: readonly string[]): string =>
  [...(path ? [path] : []), ...names].join('.');
export const index = (path: string, i: number): string => `${path}[${i}]`;
export const keyed = (path: string, key: string): string => `${path}[${key}]`;

/** UTF-8 length, which is what Go's `len` measures. */
export function byteLength(text: string): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

export const maxLengthError = (length: number): string => `must be no more than ${length} characters`;
export const emptyError = (): string => 'must be non-empty';
export const inclusiveRangeError = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;
export function regexError(message: string, format: string, ...examples: readonly string[]): string {
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return examples.length
    ? `${message} (e.g. ${list}regex used for validation is '${format}')`
    : `${message} (regex used for validation is '${format}')`;
}

const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const whole = (format: string) => new RegExp(`^(?:${format})$`);
const qualifiedName = whole(QUALIFIED_NAME);
const dns1123Label = whole(DNS1123_LABEL);
const dns1123Subdomain = whole(DNS1123_SUBDOMAIN);
const dns1123SubdomainUnderscore = whole('_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*');
const dns1035Label = whole(DNS1035_LABEL);
const labelValue = whole(LABEL_VALUE);

/** Each validator returns messages; an empty list means valid. */
export type NameValidator = (value: string) => string[];

export const isQualifiedName: NameValidator = (value) => {
  const parts = value.split('/');
  const charset =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const nameError = regexError(charset, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc');
  if (parts.length > 2)
    return [`a qualified name ${nameError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const errors: string[] = [];
  const name = parts.at(-1) as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === '') errors.push(`prefix part ${emptyError()}`);
    else errors.push(...isDNS1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === '') errors.push(`name part ${emptyError()}`);
  else if (byteLength(name) > 63) errors.push(`name part ${maxLengthError(63)}`);
  if (!qualifiedName.test(name)) errors.push(`name part ${nameError}`);
  return errors;
};

export const isValidLabelValue: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push(maxLengthError(63));
  if (!labelValue.test(value)) {
    errors.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return errors;
};

export const isDNS1123Label: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push(maxLengthError(63));
  if (!dns1123Label.test(value)) {
    errors.push(
      dns1123Subdomain.test(value)
        ? 'must not contain dots'
        : regexError(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            DNS1123_LABEL,
            'my-name',
            '123-abc',
          ),
    );
  }
  return errors;
};

export const isDNS1123Subdomain: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 253) errors.push(maxLengthError(253));
  if (!dns1123Subdomain.test(value)) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        DNS1123_SUBDOMAIN,
        'example.com',
      ),
    );
  }
  return errors;
};

export const isDNS1123SubdomainWithUnderscore: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 253) errors.push(maxLengthError(253));
  if (!dns1123SubdomainUnderscore.test(value)) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        DNS1123_SUBDOMAIN,
        'example.com',
      ),
    );
  }
  return errors;
};

export const isDNS1035Label: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push(maxLengthError(63));
  if (!dns1035Label.test(value)) {
    errors.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS1035_LABEL,
        'my-name',
        'abc-123',
      ),
    );
  }
  return errors;
};

export const isCIdentifier: NameValidator = (value) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          '[A-Za-z_][A-Za-z0-9_]*',
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? [] : [inclusiveRangeError(low, high)];
export const isValidPortNum = (port: number): string[] => isInRange(port, 1, 65535);

export const isValidPortName: NameValidator = (port) => {
  const errors: string[] = [];
  if (byteLength(port) > 15) errors.push(maxLengthError(15));
  if (!/^[-a-z0-9]+$/.test(port)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(port)) errors.push('must contain at least one letter (a-z)');
  if (port.includes('--')) errors.push('must not contain consecutive hyphens');
  if (port.startsWith('-') || port.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
};

export const isHTTPHeaderName: NameValidator = (value) =>
  /^[-A-Za-z0-9]+$/.test(value)
    ? []
    : [
        regexError(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          '[-A-Za-z0-9]+',
          'X-Header-Name',
        ),
      ];

export const isRelaxedEnvVarName: NameValidator = (value) => {
  const errors = value === '' ? [`environment variable name ${emptyError()}`] : [];
  if (!/^[ -<>-~]*$/.test(value))
    errors.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  return errors;
};

function changeDirectory(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

export const isEnvVarName: NameValidator = (value) => {
  const format = '[-._a-zA-Z][-._a-zA-Z0-9]*';
  const errors = whole(format).test(value)
    ? []
    : [
        regexError(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          format,
          'my.env-name',
          'MY_ENV.NAME',
          'MyEnvName1',
        ),
      ];
  return [...errors, ...changeDirectory(value)];
};

export const isConfigMapKey: NameValidator = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 253) errors.push(maxLengthError(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  return [...errors, ...changeDirectory(value)];
};

/** Names that may stand in a path of the API. Follows apimachinery/pkg/api/validation/path. */
export function isValidPathSegmentName(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`);
}

/** `generateName` is validated as a name would be, less a dash at its end. */
export const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

/** A name validator in the form that definitions want. */
export const nameValidator =
  (validator: NameValidator) =>
  (name: string, prefix: boolean): string[] =>
    validator(prefix ? maskTrailingDash(name) : name);
