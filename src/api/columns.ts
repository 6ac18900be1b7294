import { timestampSince } from '#apimachinery/human-duration.ts';
import type { ApiObject, TableColumn } from '#apimachinery/resource.ts';

/** The Name column, for kinds that list all their columns themselves. */
export const nameColumn: TableColumn<ApiObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: (object) => object.metadata.name ?? '',
};

/** The Age column, for kinds that list all their columns themselves. */
export const ageColumn: TableColumn<ApiObject> = {
  name: 'Age',
  type: 'string',
  cell: (object, now) => timestampSince(object.metadata.creationTimestamp, now),
};
