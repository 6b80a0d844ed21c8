//! Makes one component of two: a component, and one that exports an interface which the first imports, as Spin does with
//! the `dependencies` of a component in the manifest.
#![forbid(unsafe_code)]

use anyhow::{Context, bail};
use wac_graph::{
    CompositionGraph, EncodeOptions, NodeId,
    types::{Package, SubtypeChecker, WorldId},
};

/// Gives `component` what it imports as `import`, such as `spin:sqlite/sqlite@3.1.0`, from the export of that name of
/// `dependency`. Whatever else the two import is imported by the result, whose exports are those of `component`. Both, and
/// the result, are components as bytes.
///
/// # Errors
/// When one of them is no component, or the interface is not imported, not exported, or another one on the other side.
pub fn compose(component: Vec<u8>, import: &str, dependency: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let (component_world, component) = add(&mut graph, "component", component)?;
    let (dependency_world, dependency) = add(&mut graph, "dependency", dependency)?;
    let types = graph.types();
    let wanted = types[component_world].imports.get(import);
    let Some(&wanted) = wanted else {
        bail!("the component does not import {import}");
    };
    let offered = types[dependency_world].exports.get(import);
    let Some(&offered) = offered else {
        bail!("the dependency does not export {import}");
    };
    let mut known = Default::default();
    SubtypeChecker::new(&mut known)
        .is_subtype(offered, types, wanted, types)
        .with_context(|| format!("the dependency exports another {import}"))?;
    let exports: Vec<String> = types[component_world].exports.keys().cloned().collect();
    let given = graph.alias_instance_export(dependency, import)?;
    graph.set_instantiation_argument(component, import, given)?;
    for name in exports {
        let export = graph.alias_instance_export(component, &name)?;
        graph.export(export, &name)?;
    }
    Ok(graph.encode(EncodeOptions::default())?)
}

fn add(
    graph: &mut CompositionGraph,
    name: &str,
    bytes: Vec<u8>,
) -> anyhow::Result<(WorldId, NodeId)> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .with_context(|| format!("the {name} is none"))?;
    let world = package.ty();
    let package = graph.register_package(package)?;
    Ok((world, graph.instantiate(package)))
}

/// The names of what a component imports.
///
/// # Errors
/// When it is none.
pub fn imports(component: Vec<u8>) -> anyhow::Result<Vec<String>> {
    let mut graph = CompositionGraph::new();
    let (world, _) = add(&mut graph, "component", component)?;
    Ok(graph.types()[world].imports.keys().cloned().collect())
}
