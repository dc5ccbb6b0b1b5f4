-- A table without a key, beside the demonstration's shop.
use lookup;
create table visits (
  at datetime not null,
  page varchar(40)
);
insert into visits values
  ('2026-01-05 10:00:00', '/kettle'),
  ('2026-01-05 10:00:00', '/kettle'),
  ('2026-01-05 10:00:07', null);
