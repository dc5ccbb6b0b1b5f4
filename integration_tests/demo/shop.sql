-- The shop of the demonstration: a keyspace of two shards, and one of a single shard.
create keyspace commerce shards ('-80', '80-');
create keyspace lookup;

use commerce;

create table customers (
  id bigint not null,
  name varchar(80) not null,
  email varchar(120) not null,
  country char(2) not null,
  newsletter tinyint(1) not null default 0,
  joined date not null,
  primary key (id)
);
alter vschema on commerce.customers add vindex hash(id);

create table orders (
  customer_id bigint not null,
  id int unsigned not null,
  status enum('open', 'paid', 'sent', 'returned') not null,
  total decimal(12, 2) not null,
  note text,
  placed_at datetime not null,
  primary key (customer_id, id)
);
alter vschema on commerce.orders add vindex hash(customer_id);

create table products (
  id bigint not null,
  sku varchar(24) not null,
  name varchar(80) not null,
  price decimal(10, 2) not null,
  weight_kg double not null,
  department enum('kitchen', 'office', 'sport') not null,
  labels set('new', 'sale', 'bulky') not null,
  details json,
  insured bit(1) not null,
  barcode binary(6) not null,
  launched date,
  changed_at timestamp(3) not null,
  primary key (id)
);
alter vschema on commerce.products add vindex hash(id);

insert into customers (id, name, email, country, newsletter, joined) values
  (1, 'Ada Nowak', 'ada.nowak@example.com', 'PL', 0, '2018-02-08'),
  (2, 'Bruno Silva', 'bruno.silva@example.com', 'BR', 0, '2019-03-15'),
  (3, 'Chidi Okafor', 'chidi.okafor@example.com', 'NG', 1, '2020-04-22'),
  (4, 'Dana Dvořák', 'dana.dvorak@example.com', 'CZ', 0, '2021-05-01'),
  (5, 'Eiko Tanaka', 'eiko.tanaka@example.com', 'JP', 0, '2022-06-08'),
  (6, 'Farida Rao', 'farida.rao@example.com', 'IN', 1, '2023-07-15'),
  (7, 'Gabriel Quispe', 'gabriel.quispe@example.com', 'PE', 0, '2024-08-22'),
  (8, 'Hana Svobodová', 'hana.svobodova@example.com', 'CZ', 0, '2017-09-01'),
  (9, 'Ivo Gruber', 'ivo.gruber@example.com', 'AT', 1, '2018-10-08'),
  (10, 'Jun Satō', 'jun.sato@example.com', 'JP', 0, '2019-11-15'),
  (11, 'Kamala Iyer', 'kamala.iyer@example.com', 'IN', 0, '2020-12-22'),
  (12, 'Lena Huber', 'lena.huber@example.com', 'AT', 1, '2021-01-01'),
  (13, 'Marek Zieliński', 'marek.zielinski@example.com', 'PL', 0, '2022-02-08'),
  (14, 'Ngozi Eze', 'ngozi.eze@example.com', 'NG', 0, '2023-03-15'),
  (15, 'Otávio Souza', 'otavio.souza@example.com', 'BR', 1, '2024-04-22'),
  (16, 'Paola Rojas', 'paola.rojas@example.com', 'PE', 0, '2017-05-01'),
  (17, 'Quentin Bauer', 'quentin.bauer@example.com', 'AT', 0, '2018-06-08'),
  (18, 'Rin Mori', 'rin.mori@example.com', 'JP', 1, '2019-07-15'),
  (19, 'Sofia Wójcik', 'sofia.wojcik@example.com', 'PL', 0, '2020-08-22'),
  (20, 'Tunde Bello', 'tunde.bello@example.com', 'NG', 0, '2021-09-01'),
  (21, 'Uma Menon', 'uma.menon@example.com', 'IN', 1, '2022-10-08'),
  (22, 'Vera Kovář', 'vera.kovar@example.com', 'CZ', 0, '2023-11-15'),
  (23, 'Wanda Mazur', 'wanda.mazur@example.com', 'PL', 0, '2024-12-22'),
  (24, 'Yara Costa', 'yara.costa@example.com', 'BR', 1, '2017-01-01');

insert into products (id, sku, name, price, weight_kg, department, labels, details, insured, barcode, launched, changed_at) values
  (1, 'KI-kettle', 'Kettle, 1.7 l', 34.90, 1.25, 'kitchen', '', '{"colour": "steel", "litres": 1.7}', b'0', x'0400638126f5', '2019-03-01', '2025-02-11 08:01:00.037'),
  (2, 'KI-teapot', 'Teapot “Nadia”', 27.50, 0.8, 'kitchen', 'new', '{"colour": "white", "cups": 4}', b'1', x'040063814dea', '2024-02-29', '2025-03-12 08:02:00.074'),
  (3, 'KI-cup', 'Cup', 6.20, 0.3, 'kitchen', '', '{"colour": "white"}', b'0', x'0400638174df', '2018-11-20', '2025-04-13 08:03:00.111'),
  (4, 'OF-lamp', 'Desk lamp', 49.00, 2.1, 'office', 'sale', '{"watts": 9, "arms": ["short", "long"]}', b'1', x'040063819bd4', '2020-06-15', '2025-05-14 08:04:00.148'),
  (5, 'OF-chair', 'Chair “Ōsaka”', 189.00, 12.4, 'office', 'bulky,sale', '{"wheels": 5, "adjustable": true}', b'1', x'04006381c2c9', '2021-01-10', '2025-06-15 08:05:00.185'),
  (6, 'OF-desk', 'Standing desk', 420.00, 38, 'office', 'bulky,new', '{"height_cm": {"from": 72, "to": 118}}', b'1', x'04006381e9be', '2025-05-05', '2025-07-16 08:06:00.222'),
  (7, 'OF-pen', 'Fountain pen', 18.75, 0.02, 'office', '', '{"nib": "F"}', b'0', x'0400638210b3', '2017-09-01', '2025-08-17 08:07:00.259'),
  (8, 'SP-ball', 'Football', 22.00, 0.43, 'sport', '', 'null', b'0', x'0400638237a8', '2016-04-30', '2025-09-18 08:08:00.296'),
  (9, 'SP-rope', 'Skipping rope', 9.99, 0.25, 'sport', 'sale', null, b'0', x'040063825e9d', null, '2025-10-19 08:09:00.333'),
  (10, 'SP-tent', 'Tent for 2', 149.90, 3.6, 'sport', 'bulky', '{"persons": 2, "seasons": ["spring", "summer"]}', b'1', x'040063828592', '2022-07-22', '2025-11-20 08:10:00.370');

insert into orders (customer_id, id, status, total, note, placed_at) values
  (1, 1001, 'sent', 217.22, null, '2025-02-02 09:01:00'),
  (1, 1002, 'paid', 103.86, null, '2025-03-03 10:02:00'),
  (2, 1001, 'open', 263.75, 'ring twice', '2025-04-04 11:03:00'),
  (2, 1002, 'returned', 431.59, 'gift: “happy birthday” 🎂', '2025-05-05 12:04:00'),
  (2, 1003, 'sent', 36.64, null, '2025-06-06 13:05:00'),
  (3, 1001, 'sent', 52.47, 'leave at the door', '2025-07-07 14:06:00'),
  (3, 1002, 'paid', 543.23, null, '2025-08-08 15:07:00'),
  (3, 1003, 'open', 356.19, null, '2025-09-09 16:08:00'),
  (3, 1004, 'returned', 66.68, null, '2025-10-10 17:09:00'),
  (4, 1001, 'sent', 244.65, 'ring twice', '2025-11-11 18:10:00'),
  (5, 1001, 'sent', 386.93, 'gift: “happy birthday” 🎂', '2025-01-12 19:11:00'),
  (5, 1002, 'paid', 43.01, null, '2025-02-13 08:12:00'),
  (6, 1001, 'open', 337.55, 'leave at the door', '2025-03-14 09:13:00'),
  (6, 1002, 'returned', 145.70, null, '2025-04-15 10:14:00'),
  (6, 1003, 'sent', 29.57, null, '2025-05-16 11:15:00'),
  (7, 1001, 'sent', 61.32, null, '2025-06-17 12:16:00'),
  (7, 1002, 'paid', 289.19, 'ring twice', '2025-07-18 13:17:00'),
  (7, 1003, 'open', 279.05, 'gift: “happy birthday” 🎂', '2025-08-19 14:18:00'),
  (7, 1004, 'returned', 50.78, null, '2025-09-20 15:19:00'),
  (8, 1001, 'sent', 162.72, 'leave at the door', '2025-10-21 16:20:00'),
  (9, 1001, 'sent', 64.44, null, '2025-11-22 17:21:00'),
  (9, 1002, 'paid', 366.13, null, '2025-01-23 18:22:00'),
  (10, 1001, 'open', 283.21, null, '2025-02-24 19:23:00'),
  (10, 1002, 'returned', 43.73, 'ring twice', '2025-03-25 08:24:00'),
  (10, 1003, 'sent', 546.88, 'gift: “happy birthday” 🎂', '2025-04-26 09:25:00'),
  (11, 1001, 'sent', 375.57, null, '2025-05-27 10:26:00'),
  (11, 1002, 'paid', 86.13, 'leave at the door', '2025-06-28 11:27:00'),
  (11, 1003, 'open', 151.30, null, '2025-07-01 12:28:00'),
  (11, 1004, 'returned', 418.28, null, '2025-08-02 13:29:00'),
  (12, 1001, 'sent', 416.19, null, '2025-09-03 14:30:00'),
  (13, 1001, 'sent', 387.07, 'ring twice', '2025-10-04 15:31:00'),
  (13, 1002, 'paid', 45.54, 'gift: “happy birthday” 🎂', '2025-11-05 16:32:00'),
  (14, 1001, 'open', 383.21, null, '2025-01-06 17:33:00'),
  (14, 1002, 'returned', 388.74, 'leave at the door', '2025-02-07 18:34:00'),
  (14, 1003, 'sent', 264.96, null, '2025-03-08 19:35:00'),
  (15, 1001, 'sent', 37.49, null, '2025-04-09 08:36:00'),
  (15, 1002, 'paid', 149.88, null, '2025-05-10 09:37:00'),
  (15, 1003, 'open', 35.52, 'ring twice', '2025-06-11 10:38:00'),
  (15, 1004, 'returned', 369.81, 'gift: “happy birthday” 🎂', '2025-07-12 11:39:00'),
  (16, 1001, 'sent', 567.60, null, '2025-08-13 12:40:00'),
  (17, 1001, 'sent', 92.27, 'leave at the door', '2025-09-14 13:41:00'),
  (17, 1002, 'paid', 194.79, null, '2025-10-15 14:42:00'),
  (18, 1001, 'open', 279.68, null, '2025-11-16 15:43:00'),
  (18, 1002, 'returned', 99.53, null, '2025-01-17 16:44:00'),
  (18, 1003, 'sent', 359.34, 'ring twice', '2025-02-18 17:45:00'),
  (19, 1001, 'sent', 82.19, 'gift: “happy birthday” 🎂', '2025-03-19 18:46:00'),
  (19, 1002, 'paid', 379.15, null, '2025-04-20 19:47:00'),
  (19, 1003, 'open', 207.16, 'leave at the door', '2025-05-21 08:48:00'),
  (19, 1004, 'returned', 372.17, null, '2025-06-22 09:49:00'),
  (20, 1001, 'sent', 539.85, null, '2025-07-23 10:50:00'),
  (21, 1001, 'sent', 451.95, null, '2025-08-24 11:51:00'),
  (21, 1002, 'paid', 123.44, 'ring twice', '2025-09-25 12:52:00'),
  (22, 1001, 'open', 72.53, 'gift: “happy birthday” 🎂', '2025-10-26 13:53:00'),
  (22, 1002, 'returned', 386.15, null, '2025-11-27 14:54:00'),
  (22, 1003, 'sent', 379.34, 'leave at the door', '2025-01-28 15:55:00'),
  (23, 1001, 'sent', 423.71, null, '2025-02-01 16:56:00'),
  (23, 1002, 'paid', 128.12, null, '2025-03-02 17:57:00'),
  (23, 1003, 'open', 249.05, null, '2025-04-03 18:58:00'),
  (23, 1004, 'returned', 68.85, 'ring twice', '2025-05-04 19:59:00'),
  (24, 1001, 'sent', 363.96, 'gift: “happy birthday” 🎂', '2025-06-05 08:00:00');

use lookup;

create table countries (
  code char(2) not null,
  name varchar(60) not null,
  own_name varchar(60) not null,
  primary key (code)
);

insert into countries (code, name, own_name) values
  ('AT', 'Austria', 'Österreich'),
  ('BR', 'Brazil', 'Brasil'),
  ('CZ', 'Czechia', 'Česko'),
  ('IN', 'India', 'भारत'),
  ('JP', 'Japan', '日本'),
  ('NG', 'Nigeria', 'Nigeria'),
  ('PE', 'Peru', 'Perú'),
  ('PL', 'Poland', 'Polska');
