-- Stock of the pharmacy
--
-- Revision ID: 91d0aa32be7f
-- Revises: base

-- migrate:up mysql
/*!40101 SET @old_character_set_client = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
/*M!100100 SET @old_note_verbosity = @@note_verbosity */;

CREATE TABLE `medicine` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(100) NOT NULL COMMENT 'brand; \'generic\' in brackets', # both
  `end` date DEFAULT NULL,
  `delimiter` char(1) DEFAULT ';',
  PRIMARY KEY (`id`) /*!50100 KEY_BLOCK_SIZE=8 */
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
LOCK TABLES `medicine` WRITE;
/*!40000 ALTER TABLE `medicine` DISABLE KEYS */;
INSERT INTO `medicine` VALUES (1,'Ibu; 400',NULL,'"'),(2,"O\"Neill -- ;",'2027-01-01','\\');
/*!40000 ALTER TABLE `medicine` ENABLE KEYS */;
UNLOCK TABLES;

-- Without a delimiter of its own
CREATE TRIGGER `medicine_name` BEFORE INSERT ON `medicine` FOR EACH ROW SET NEW.name = IF(NEW.name = '', 'unnamed', NEW.name);

CREATE DEFINER=`root`@`%` PROCEDURE `expire`(IN today date, OUT expired int)
  MODIFIES SQL DATA
  COMMENT 'moves on; never deletes'
main: BEGIN
  DECLARE done boolean DEFAULT FALSE;
  DECLARE medicine_id int;
  DECLARE old CURSOR FOR SELECT id FROM medicine WHERE end < today FOR UPDATE;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION, SQLSTATE '45000'
  BEGIN
    ROLLBACK; -- and tell
    RESIGNAL;
  END;
  IF today IS NULL THEN LEAVE main; END IF;
  SET expired = 0;
  OPEN old;
  each_one: LOOP
    FETCH old INTO medicine_id;
    IF done THEN LEAVE each_one; ELSEIF IF(medicine_id > 0, 1, 0) THEN SET expired = expired + 1; END IF;
    CASE WHEN medicine_id % 2 THEN UPDATE medicine SET end = CASE WHEN end IS NULL THEN today ELSE end END; ELSE BEGIN END; END CASE;
  END LOOP each_one;
  REPEAT SET expired = expired - 1; UNTIL expired < 100 END REPEAT;
  WHILE expired < 0 DO SET expired = expired + 1; END WHILE;
  CLOSE old;
END main;

-- With one, as dumps have them
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `medicine_end` BEFORE UPDATE ON `medicine` FOR EACH ROW BEGIN
  IF NEW.end < OLD.end THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too early; */'; END IF;
END */;;
DELIMITER ;

  delimiter $$
CREATE FUNCTION label(id int) RETURNS varchar(20) CHARSET utf8mb4 DETERMINISTIC
BEGIN
  RETURN CONCAT('$$', id, ';');
END$$
DROP FUNCTION IF EXISTS old_label $$
delimiter ;

CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2026-11-22 03:00:00' DO BEGIN CALL expire(CURDATE(), @n); SET @end = @n; END;
START TRANSACTION; UPDATE medicine SET name = UPPER(name) WHERE id = 1; COMMIT;
/*!40101 SET character_set_client = @old_character_set_client */;

-- migrate:down mysql
DROP TABLE medicine;
