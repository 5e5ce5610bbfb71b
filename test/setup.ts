/**
 * Loaded before every test file, as the first import of every entry point: type-graphql's
 * decorators write through it.
 */
import "reflect-metadata";
